// Where containers run: CPUs by the second, and the GPU profile beside them. Neither has a minimum, so nothing runs, nothing costs.
@minLength(13)
@maxLength(13)
param token string
param location string
param tags object
param gpu string

var abbreviations = loadJsonContent('../abbreviations.json')

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: '${abbreviations.logAnalyticsWorkspaces}${token}'
}

resource environment 'Microsoft.App/managedEnvironments@2025-07-01' = {
  name: '${abbreviations.containerAppsEnvironments}${token}'
  location: location
  tags: tags
  properties: {
    appLogsConfiguration: { destination: 'azure-monitor' } // by diagnostic settings: the other way takes the workspace's key
    workloadProfiles: concat(
      [{ name: 'Consumption', workloadProfileType: 'Consumption' }],
      gpu == 'none' ? [] : [{ name: gpu, workloadProfileType: gpu }]
    )
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: environment
  properties: {
    workspaceId: workspace.id
    logs: [
      { category: 'ContainerAppConsoleLogs', enabled: true }
      { category: 'ContainerAppSystemLogs', enabled: true }
    ]
  }
}

output defaultDomain string = environment.properties.defaultDomain
