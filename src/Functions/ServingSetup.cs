using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace VaeFunctions.Serving;

/// <summary>Turns settings into services.</summary>
static class ServingSetup
{
    public static IServiceCollection AddServingOptions(this IServiceCollection services)
    {
        services.AddOptions<ServingOptions>()
            .Configure<IConfiguration>(Bind)
            .ValidateDataAnnotations()
            .ValidateOnStart();
        services.Configure<KestrelServerOptions>(kestrel => kestrel.Limits.MaxRequestBodySize = null); // LimitedBody says why
        return services;
    }

    static void Bind(ServingOptions options, IConfiguration configuration)
    {
        try
        {
            configuration.GetSection(ServingOptions.Section).Bind(options, binder => binder.ErrorOnUnknownConfiguration = true);
        }
        catch (InvalidOperationException fault)
        {
            var known = typeof(ServingOptions).GetProperties().Where(property => property.CanWrite).Select(property => $"{ServingOptions.Section}__{property.Name}");
            throw new OptionsValidationException(ServingOptions.Section, typeof(ServingOptions), [$"{fault.Message} Known settings are {string.Join(", ", known)}."]);
        }
    }
}
