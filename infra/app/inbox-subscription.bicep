// Sends every blob of the inbox to the functions. Deployed by infra/deploy once they run, since Event Grid asks them first.
@minLength(13)
@maxLength(13)
param token string

@secure()
@description('The system key blobs_extension of the functions.')
param key string

var abbreviations = loadJsonContent('../abbreviations.json')

resource data 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: '${abbreviations.storageAccounts}${token}'
}

resource functions 'Microsoft.App/containerApps@2025-07-01' existing = {
  name: '${abbreviations.containerApps}functions-${token}'
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: '${abbreviations.eventGridSystemTopics}${token}'
}

resource subscription 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'inbox'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    destination: {
      endpointType: 'WebHook'
      properties: {
        endpointUrl: 'https://${functions.properties.configuration.ingress.fqdn}/runtime/webhooks/blobs?functionName=Host.Functions.Inbox&code=${key}'
        maxEventsPerBatch: 1
      }
    }
    filter: {
      includedEventTypes: ['Microsoft.Storage.BlobCreated']
      subjectBeginsWith: '/blobServices/default/containers/inbox/'
    }
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
    deadLetterWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: { resourceId: data.id, blobContainerName: 'deadletter' }
      }
    }
  }
}
