// Two accounts: the data (docs/blob-layout.md), and what the functions' host keeps for itself, so that neither host nor functions
// need a role on all of the data. No keys, no public containers.
@minLength(13)
@maxLength(13)
param token string
param location string
param tags object

@description('After so many days without a change these are deleted.')
param checkpointDays int = 30
param resultDays int = 30

var abbreviations = loadJsonContent('../abbreviations.json')
var closed = {
  allowSharedKeyAccess: false
  allowBlobPublicAccess: false
  defaultToOAuthAuthentication: true
  minimumTlsVersion: 'TLS1_2'
  supportsHttpsTrafficOnly: true
}

resource data 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: '${abbreviations.storageAccounts}${token}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: union(closed, { accessTier: 'Hot' })

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      deleteRetentionPolicy: { enabled: true, days: 14 }
      containerDeleteRetentionPolicy: { enabled: true, days: 14 }
    }

    resource containers 'containers' = [
      for name in [
        'models'
        'concepts'
        'checkpoints'
        'training'
        'inbox'
        'results'
        'rejected'
        'jobs'
        'deadletter'
      ]: {
        name: name
        properties: { publicAccess: 'None' }
      }
    ]
  }

  resource lifecycle 'managementPolicies' = {
    name: 'default'
    properties: {
      policy: {
        rules: [
          {
            name: 'checkpoints'
            enabled: true
            type: 'Lifecycle'
            definition: {
              filters: { blobTypes: ['blockBlob'], prefixMatch: ['checkpoints/'] }
              actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: checkpointDays } } }
            }
          }
          {
            name: 'results'
            enabled: true
            type: 'Lifecycle'
            definition: {
              filters: {
                blobTypes: ['blockBlob']
                prefixMatch: ['inbox/', 'results/', 'rejected/', 'jobs/', 'deadletter/']
              }
              actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: resultDays } } }
            }
          }
        ]
      }
    }
    dependsOn: [blobs]
  }
}

resource host 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: '${abbreviations.storageAccounts}host${token}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: closed
}

output endpoint string = data.properties.primaryEndpoints.blob
