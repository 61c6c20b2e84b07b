// What somebody should hear of: a training that failed, images that could not be processed, a model that grows old.
@minLength(13)
@maxLength(13)
param token string
param location string
param tags object
param email string
param staleModelDays int

var abbreviations = loadJsonContent('../abbreviations.json')
var rules = [
  {
    name: 'training-failed'
    description: 'A training gave up after its retries, or ended with an error.'
    severity: 1
    frequency: 'PT15M'
    window: 'PT15M'
    range: null
    query: '''
union
  (ContainerAppSystemLogs | where Reason in ('BackoffLimitExceeded', 'DeadlineExceeded') or Log has 'specified backoff limit' or Log has 'specified deadline'),
  (ContainerAppConsoleLogs | where Log startswith 'Error: ')
| where JobName startswith 'train-' or JobName startswith 'retrain-' or JobName startswith 'sweep-'
'''
  }
  {
    name: 'poison-messages'
    description: 'An image in the inbox failed five times; its message lies in the queue webjobs-blobtrigger-poison.'
    severity: 2
    frequency: 'PT15M'
    window: 'PT15M'
    range: null
    query: 'ContainerAppConsoleLogs | where Log has \'webjobs-blobtrigger-poison\' and Log has \'MaxDequeueCount\''
  }
  {
    // A query looks back two days at most, so the age is what each retraining logs, and not counted here.
    name: 'stale-model'
    description: 'A model is retrained, but no version has been promoted for ${staleModelDays} days.'
    severity: 3
    frequency: 'P1D'
    window: 'P1D'
    range: 'P2D'
    query: '''
ContainerAppConsoleLogs
| where JobName startswith 'retrain-'
| parse Log with * 'serving: ' Model ' ' Version ', promoted ' Days:int ' days ago'
| where Days >= DAYS
'''
  }
]

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: '${abbreviations.logAnalyticsWorkspaces}${token}'
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: '${abbreviations.eventGridSystemTopics}${token}'
}

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${abbreviations.actionGroups}${token}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'vae'
    enabled: true
    emailReceivers: empty(email) ? [] : [{ name: 'people', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource queries 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: rule.name
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: rule.name
      description: rule.description
      severity: rule.severity
      enabled: true
      scopes: [workspace.id]
      evaluationFrequency: rule.frequency
      windowSize: rule.window
      overrideQueryTimeRange: rule.range
      skipQueryValidation: true // the tables appear with the first log
      autoMitigate: false
      criteria: {
        allOf: [
          {
            query: replace(rule.query, 'DAYS', string(staleModelDays))
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: [people.id] }
    }
  }
]

resource deadLetters 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'dead-letters'
  location: 'global'
  tags: tags
  properties: {
    description: 'Event Grid gave up telling the functions of a dropped image; the event lies in the container deadletter.'
    severity: 2
    enabled: true
    scopes: [topic.id]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'dead-letters'
          metricName: 'DeadLetteredCount'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: [{ actionGroupId: people.id }]
  }
}
