// Tells before the month's money is spent. It stops nothing.
@minLength(13)
@maxLength(13)
param token string
param amount int

@description('The first of a month, such as 2026-01-01.')
param start string
param email string

var abbreviations = loadJsonContent('../abbreviations.json')

resource budget 'Microsoft.Consumption/budgets@2024-08-01' = {
  name: '${abbreviations.budgets}${token}'
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: { startDate: start }
    notifications: {
      half: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 50
        thresholdType: 'Actual'
        contactEmails: empty(email) ? [] : [email]
        contactRoles: ['Owner']
      }
      forecast: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: empty(email) ? [] : [email]
        contactRoles: ['Owner']
      }
    }
  }
}
