// azd's way in: what `azd env set` says, and what azd itself asks for.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')
param principalId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
param gpu = readEnvironmentVariable('VAE_GPU', 'Consumption-GPU-NC8as-T4')
param serveOn = readEnvironmentVariable('VAE_SERVE_ON', 'cpu')
param alertEmail = readEnvironmentVariable('VAE_ALERT_EMAIL', '')
