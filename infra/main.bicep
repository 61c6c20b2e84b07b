// Everything of a deployment. It runs twice the first time: without images, since the registry they go to is made here, and
// with them. infra/deploy does both, and then what cannot be said here: the Event Grid subscription, which needs the running
// functions (app/inbox-subscription.bicep).
targetScope = 'subscription'

import { accessKeys } from 'app/functions.bicep'

@minLength(1)
@maxLength(40)
@description('The name of the deployment; part of the resource group\'s name.')
param environmentName string

@description('The region, one with the chosen GPU.')
param location string

@description('Who may read and write the data by hand (promote, rollback, dropping images): an object id, or empty.')
param principalId string = ''

@allowed(['User', 'Group', 'ServicePrincipal'])
param principalType string = 'User'

@allowed(['Consumption-GPU-NC8as-T4', 'Consumption-GPU-NC24-A100', 'none'])
@description('The workload profile that trains; none trains on CPUs.')
param gpu string = 'Consumption-GPU-NC8as-T4'

@allowed(['cpu', 'gpu'])
@description('What serves; gpu is the profile that trains, and CPUs where there is none.')
param serveOn string = 'cpu'

@description('The images, with registry and tag; empty leaves out what runs them.')
param functionsImage string = ''
param trainingImage string = ''

@description('The functions\' access keys, where they run.')
param functionKeys accessKeys = {
  'host-master': ''
  'host-function-default': ''
  'host-systemkey-blobs-extension': ''
}

@description('What the first training job trains.')
param recipe string = 'faces-vae'

@description('When it retrains: five cron fields in UTC, or empty for only when told to.')
param retrainCron string = ''

@minValue(1)
@maxValue(1000)
@description('Replicas that the functions may scale out to; they scale in to none.')
param maxReplicas int = 10

@description('Where alerts go; empty keeps them in the portal.')
param alertEmail string = ''

@description('What a month may cost before the budget alerts, in the currency of the subscription.')
param monthlyBudget int = 50

@description('The first day of the budget, such as 2026-01-01, which cannot be changed later; empty makes none.')
param budgetStart string = ''

@minValue(2)
@description('An alert tells when a model that is retrained has not been replaced for so many days.')
param staleModelDays int = 30

var abbreviations = loadJsonContent('abbreviations.json')
var token = uniqueString(subscription().id, environmentName, location)
var tags = { 'azd-env-name': environmentName }
var functionsName = '${abbreviations.containerApps}functions-${token}'

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: '${abbreviations.resourceGroups}vae-${environmentName}'
  location: location
  tags: tags
}

module monitoring 'app/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: { token: token, location: location, tags: tags }
}

module storage 'app/storage.bicep' = {
  name: 'storage'
  scope: group
  params: { token: token, location: location, tags: tags }
}

module registry 'app/registry.bicep' = {
  name: 'registry'
  scope: group
  params: { token: token, location: location, tags: tags }
}

module access 'app/access.bicep' = {
  name: 'access'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    principalId: principalId
    principalType: principalType
  }
  dependsOn: [storage, registry, monitoring]
}

module environment 'app/environment.bicep' = {
  name: 'environment'
  scope: group
  params: { token: token, location: location, tags: tags, gpu: gpu }
  dependsOn: [monitoring]
}

module functions 'app/functions.bicep' = if (!empty(functionsImage)) {
  name: 'functions'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    image: functionsImage
    keys: functionKeys
    maxReplicas: maxReplicas
    gpu: serveOn == 'gpu' ? gpu : 'none'
  }
  dependsOn: [access, environment]
}

module training 'app/training-job.bicep' = if (!empty(trainingImage)) {
  name: 'training'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    image: trainingImage
    gpu: gpu
    recipe: recipe
    model: recipe
  }
  dependsOn: [access, environment]
}

module retraining 'app/training-job.bicep' = if (!empty(trainingImage) && !empty(retrainCron)) {
  name: 'retraining'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    image: trainingImage
    gpu: gpu
    recipe: recipe
    model: recipe
    cron: retrainCron
  }
  dependsOn: [access, environment]
}

module events 'app/events.bicep' = {
  name: 'events'
  scope: group
  params: { token: token, location: location, tags: tags }
  dependsOn: [storage]
}

module alerts 'app/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    email: alertEmail
    staleModelDays: staleModelDays
  }
  dependsOn: [environment, events]
}

module budget 'app/budget.bicep' = if (!empty(budgetStart)) {
  name: 'budget'
  scope: group
  params: { token: token, amount: monthlyBudget, start: budgetStart, email: alertEmail }
}

var functionsUrl = 'https://${functionsName}.${environment.outputs.defaultDomain}'
var portal = 'https://portal.azure.com/#resource'

// Names in camel case: Resource Manager does not keep the case of others.
output resourceGroupName string = group.name
output resourceToken string = token
output gpu string = gpu
output functionsName string = functionsName
output functionsImage string = functionsImage
output trainingImage string = trainingImage
output registryName string = registry.outputs.name
output registryEndpoint string = registry.outputs.endpoint

output apiUrl string = '${functionsUrl}/api'
output modelsUrl string = '${functionsUrl}/api/models'
output liveUrl string = '${functionsUrl}/api/health/live'
output readyUrl string = '${functionsUrl}/api/health/ready'
output storageUrl string = storage.outputs.endpoint
output inboxUrl string = '${storage.outputs.endpoint}inbox'
output resultsUrl string = '${storage.outputs.endpoint}results'
output rejectedUrl string = '${storage.outputs.endpoint}rejected'
output publishedModelsUrl string = '${storage.outputs.endpoint}models'
output trainingDataUrl string = '${storage.outputs.endpoint}training'
output portalUrl string = '${portal}${group.id}'
output logsUrl string = '${portal}${monitoring.outputs.workspaceId}/logs'
output applicationInsightsUrl string = '${portal}${monitoring.outputs.applicationInsightsId}'
