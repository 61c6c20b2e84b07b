// The functions, from no replica to many by requests and events.
@export()
@secure()
@description('The access keys by the names of their secrets.')
type accessKeys = {
  @secure()
  'host-master': string
  @secure()
  'host-function-default': string
  @secure()
  'host-systemkey-blobs-extension': string
}

@minLength(13)
@maxLength(13)
param token string
param location string
param tags object
param image string
param maxReplicas int

@description('The workload profile of environment.bicep that serves; none serves on CPUs. The image must have CUDA to be faster there.')
param gpu string = 'none'

@description('The host reads its access keys from files and makes none: infra/deploy does.')
param keys accessKeys

@allowed(['Single', 'Multiple'])
@description('Multiple keeps old revisions for a canary; they then take their share of the inbox too.')
param revisions string = 'Single'

// As training-job.bicep has them: one GPU a replica, with the whole of its profile.
var resources = {
  none: { cpu: 2, memory: '4Gi' }
  'Consumption-GPU-NC8as-T4': { cpu: 8, memory: '56Gi' }
  'Consumption-GPU-NC24-A100': { cpu: 24, memory: '220Gi' }
}
var abbreviations = loadJsonContent('../abbreviations.json')
var dataUri = 'https://${abbreviations.storageAccounts}${token}'
var suffix = az.environment().suffixes.storage

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: '${abbreviations.userAssignedIdentities}functions-${token}'
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {
  name: '${abbreviations.containerRegistries}${token}'
}

resource environment 'Microsoft.App/managedEnvironments@2025-07-01' existing = {
  name: '${abbreviations.containerAppsEnvironments}${token}'
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: '${abbreviations.applicationInsights}${token}'
}

resource app 'Microsoft.App/containerApps@2025-07-01' = {
  name: '${abbreviations.containerApps}functions-${token}'
  location: location
  tags: union(tags, { 'azd-service-name': 'functions' })
  kind: 'functionapp'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    environmentId: environment.id
    workloadProfileName: gpu == 'none' ? 'Consumption' : gpu
    configuration: {
      activeRevisionsMode: revisions
      maxInactiveRevisions: 5
      ingress: {
        external: true
        targetPort: 8080
        transport: 'auto'
        allowInsecure: false
        traffic: [{ latestRevision: true, weight: 100 }]
      }
      secrets: [
        { name: 'host-master', value: keys['host-master'] }
        { name: 'host-function-default', value: keys['host-function-default'] }
        { name: 'host-systemkey-blobs-extension', value: keys['host-systemkey-blobs-extension'] }
      ]
      registries: [{ server: registry.properties.loginServer, identity: identity.id }]
    }
    template: {
      terminationGracePeriodSeconds: 60
      containers: [
        {
          name: 'functions'
          image: image
          resources: resources[gpu]
          env: [
            { name: 'AZURE_CLIENT_ID', value: identity.properties.clientId }
            { name: 'FUNCTIONS_WORKER_RUNTIME', value: 'dotnet-isolated' }
            { name: 'AzureWebJobsSecretStorageType', value: 'ContainerApps' }
            // One id for all replicas. Without it each takes its machine's name, and has queues and leases that no other looks at. At most 32 characters.
            { name: 'AzureFunctionsWebHost__hostid', value: '${abbreviations.containerApps}functions-${token}' }
            { name: 'AzureWebJobsDisableHomepage', value: 'true' }
            { name: 'AzureWebJobsStorage__accountName', value: '${abbreviations.storageAccounts}host${token}' }
            { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
            { name: 'AzureWebJobsStorage__clientId', value: identity.properties.clientId }
            { name: 'VaeStorage__blobServiceUri', value: '${dataUri}.blob.${suffix}' }
            { name: 'VaeStorage__queueServiceUri', value: '${dataUri}.queue.${suffix}' }
            { name: 'VaeStorage__credential', value: 'managedidentity' }
            { name: 'VaeStorage__clientId', value: identity.properties.clientId }
            // Jobs whose messages were lost go on then. Each look costs the start of a replica, where none runs.
            { name: 'VaeJobRecoverySchedule', value: '0 0 */6 * * *' }
            // The host tries a blob that failed again at once.
            { name: 'Serving__InboxPauseSeconds', value: '10' }
            // Larger batches leave a processor's caches and fill a GPU.
            { name: 'Serving__LargestBatch', value: gpu == 'none' ? '16' : '64' }
            { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: applicationInsights.properties.ConnectionString }
            {
              name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING'
              value: 'ClientId=${identity.properties.clientId};Authorization=AAD'
            }
          ]
          volumeMounts: [{ volumeName: 'keys', mountPath: '/run/secrets/functions-keys' }]
          probes: [
            {
              type: 'Startup'
              httpGet: { path: '/api/health/live', port: 8080 }
              periodSeconds: 5
              failureThreshold: 48
            }
            {
              type: 'Liveness'
              httpGet: { path: '/api/health/live', port: 8080 }
              periodSeconds: 30
              timeoutSeconds: 5
            }
            {
              type: 'Readiness'
              httpGet: { path: '/api/health/ready', port: 8080 }
              periodSeconds: 10
              timeoutSeconds: 5
            }
          ]
        }
      ]
      // The files' names are the host's; those of secrets must not have dots.
      volumes: [
        {
          name: 'keys'
          storageType: 'Secret'
          secrets: [
            { secretRef: 'host-master', path: 'host.master' }
            { secretRef: 'host-function-default', path: 'host.function.default' }
            { secretRef: 'host-systemkey-blobs-extension', path: 'host.systemKey.blobs_extension' }
          ]
        }
      ]
      scale: { minReplicas: 0, maxReplicas: maxReplicas }
    }
  }
}
