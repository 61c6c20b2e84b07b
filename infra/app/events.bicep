// Tells of blobs that are dropped. The subscription is made after the functions run (inbox-subscription.bicep); what it cannot
// deliver goes to a container, by the topic's own identity.
@minLength(13)
@maxLength(13)
param token string
param location string
param tags object

var abbreviations = loadJsonContent('../abbreviations.json')
var blobContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

resource data 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: '${abbreviations.storageAccounts}${token}'

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource deadLetters 'containers' existing = {
      name: 'deadletter'
    }
  }
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: '${abbreviations.eventGridSystemTopics}${token}'
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    source: data.id
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

resource keepsDeadLetters 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(data::blobs::deadLetters.id, topic.id, blobContributor)
  scope: data::blobs::deadLetters
  properties: {
    principalId: topic.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobContributor)
  }
}
