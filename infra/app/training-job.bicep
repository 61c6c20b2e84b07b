// A training job. Without a schedule it trains when told to; with one it retrains when the images or the recipe have changed.
// Evicted or failed, it starts again and goes on from its checkpoint. Either way the gate decides what serves. With settings to
// sweep over, its replicas share the trials, which they take from a storage queue, and the last to end publishes the best.
@minLength(13)
@maxLength(13)
param token string
param location string = resourceGroup().location
param tags object = resourceGroup().tags
param image string
param gpu string
param recipe string

@minLength(1)
@maxLength(23)
@description('The name to publish under; the job\'s name ends with it.')
param model string

@description('Where the images are, such as blob:training/cats; empty takes the recipe\'s.')
param data string = ''

@description('Passes over the images; 0 takes the recipe\'s.')
param epochs int = 0

@description('Whether a GPU may round factors to TensorFloat-32.')
param tf32 bool = false

@description('Five cron fields in UTC, or empty.')
param cron string = ''

@description('Settings to sweep over, such as model.latent=8,16; empty trains the recipe as it is.')
param sweep array = []

@minValue(1)
@maxValue(100)
@description('Replicas that share a sweep\'s trials, each with its own GPU.')
param replicas int = 1

@description('How long one try may take, in seconds; generous, since a slow start counts too.')
param timeout int = 86400

var abbreviations = loadJsonContent('../abbreviations.json')
var resources = {
  none: { cpu: 4, memory: '8Gi' }
  'Consumption-GPU-NC8as-T4': { cpu: 8, memory: '56Gi' }
  'Consumption-GPU-NC24-A100': { cpu: 24, memory: '220Gi' }
}
var once = { replicaCompletionCount: replicas, parallelism: replicas }
var storage = '${abbreviations.storageAccounts}${token}'
var suffix = az.environment().suffixes.storage

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: '${abbreviations.userAssignedIdentities}training-${token}'
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {
  name: '${abbreviations.containerRegistries}${token}'
}

resource environment 'Microsoft.App/managedEnvironments@2025-07-01' existing = {
  name: '${abbreviations.containerAppsEnvironments}${token}'
}

resource job 'Microsoft.App/jobs@2025-07-01' = {
  name: empty(sweep) ? (empty(cron) ? 'train-${model}' : 'retrain-${model}') : 'sweep-${model}'
  location: location
  tags: union(tags, { 'azd-service-name': 'training' })
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    environmentId: environment.id
    workloadProfileName: gpu == 'none' ? 'Consumption' : gpu
    configuration: {
      triggerType: empty(cron) ? 'Manual' : 'Schedule'
      manualTriggerConfig: empty(cron) ? once : null
      scheduleTriggerConfig: empty(cron) ? null : union(once, { cronExpression: cron })
      replicaTimeout: timeout
      replicaRetryLimit: 3
      registries: [{ server: registry.properties.loginServer, identity: identity.id }]
    }
    template: {
      containers: [
        {
          name: 'training'
          image: image
          resources: resources[gpu]
          args: concat(
            empty(sweep)
              ? ['train', recipe, '--resume', 'auto']
              : concat(['sweep', recipe], flatten(map(sweep, setting => ['--set', setting]))),
            ['--model', model, '--out', 'blob'],
            empty(cron) ? [] : ['--if-changed'],
            empty(data) ? [] : ['--data', data],
            epochs == 0 ? [] : ['--epochs', string(epochs)],
            tf32 ? ['--tf32'] : []
          )
          env: [
            { name: 'AZURE_CLIENT_ID', value: identity.properties.clientId }
            { name: 'VaeStorage__blobServiceUri', value: 'https://${storage}.blob.${suffix}' }
            { name: 'VaeStorage__queueServiceUri', value: 'https://${storage}.queue.${suffix}' }
          ]
        }
      ]
    }
  }
}

output name string = job.name
