// Who may do what. The functions read models and cannot publish any; the training job publishes and cannot read what people drop.
@minLength(13)
@maxLength(13)
param token string
param location string
param tags object

@description('A person\'s object id, or empty.')
param principalId string
param principalType string

var abbreviations = loadJsonContent('../abbreviations.json')
var roles = {
  blobReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
  blobContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  blobOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  queueContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  tableContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  registryPull: '7f951dda-4ed3-4680-a7ca-43fe172d538d'
  metricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}

resource functions 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${abbreviations.userAssignedIdentities}functions-${token}'
  location: location
  tags: tags
}

resource training 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${abbreviations.userAssignedIdentities}training-${token}'
  location: location
  tags: tags
}

resource data 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: '${abbreviations.storageAccounts}${token}'

  resource blobs 'blobServices' existing = {
    name: 'default'
  }
}

resource host 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: '${abbreviations.storageAccounts}host${token}'
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {
  name: '${abbreviations.containerRegistries}${token}'
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: '${abbreviations.applicationInsights}${token}'
}

var containerGrants = [
  { container: 'models', who: 'functions', role: roles.blobReader }
  { container: 'inbox', who: 'functions', role: roles.blobContributor }
  { container: 'results', who: 'functions', role: roles.blobContributor }
  { container: 'rejected', who: 'functions', role: roles.blobContributor }
  { container: 'jobs', who: 'functions', role: roles.blobContributor }
  { container: 'concepts', who: 'functions', role: roles.blobContributor }
  { container: 'models', who: 'training', role: roles.blobContributor }
  { container: 'checkpoints', who: 'training', role: roles.blobContributor }
  { container: 'training', who: 'training', role: roles.blobReader }
]

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = [
  for grant in containerGrants: {
    parent: data::blobs
    name: grant.container
  }
]

resource onContainers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, i) in containerGrants: {
    name: guid(data.id, grant.container, grant.who, grant.role, token)
    scope: containers[i]
    properties: {
      principalId: grant.who == 'functions' ? functions.properties.principalId : training.properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
    }
  }
]

// The blob trigger keeps its work and its poison messages in queues beside the blobs; bulk jobs and sweeps have theirs there too.
resource onQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for who in ['functions', 'training']: {
    name: guid(data.id, who, roles.queueContributor, token)
    scope: data
    properties: {
      principalId: who == 'functions' ? functions.properties.principalId : training.properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.queueContributor)
    }
  }
]

resource onHost 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in [roles.blobOwner, roles.queueContributor, roles.tableContributor]: {
    name: guid(host.id, 'functions', role, token)
    scope: host
    properties: {
      principalId: functions.properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

resource onRegistry 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for who in ['functions', 'training']: {
    name: guid(registry.id, who, roles.registryPull, token)
    scope: registry
    properties: {
      principalId: who == 'functions' ? functions.properties.principalId : training.properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.registryPull)
    }
  }
]

resource onTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(applicationInsights.id, 'functions', roles.metricsPublisher, token)
  scope: applicationInsights
  properties: {
    principalId: functions.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.metricsPublisher)
  }
}

resource byHand 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(principalId)) {
  name: guid(data.id, principalId, roles.blobContributor)
  scope: data
  properties: {
    principalId: principalId
    principalType: principalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobContributor)
  }
}
