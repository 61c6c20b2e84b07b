// Where the images are. No admin user and no anonymous pull: access.bicep says who may.
@minLength(13)
@maxLength(13)
param token string
param location string
param tags object

var abbreviations = loadJsonContent('../abbreviations.json')

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
  name: '${abbreviations.containerRegistries}${token}'
  location: location
  tags: tags
  sku: { name: 'Standard' } // Basic has 10 GiB, which three GPU images fill; artifact streaming would need Premium
  properties: {
    adminUserEnabled: false
    anonymousPullEnabled: false
  }
}

output name string = registry.name
output endpoint string = registry.properties.loginServer
