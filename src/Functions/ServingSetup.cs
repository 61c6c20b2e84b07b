using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace VaeFunctions.Serving;

/// <summary>Turns settings into services.</summary>
static class ServingSetup
{
    public static IServiceCollection AddServingOptions(this IServiceCollection services)
    {
        services.AddOptions<ServingOptions>().Configure<IConfiguration>(Bind).ValidateOnStart();
        services.Configure<KestrelServerOptions>(kestrel => kestrel.Limits.MaxRequestBodySize = null); // LimitedBody says why
        return services;
    }

    /// <exception cref="OptionsValidationException">A setting is unknown, no number or out of range; names it as the environment
    /// does.</exception>
    static void Bind(ServingOptions options, IConfiguration configuration)
    {
        var section = configuration.GetSection(ServingOptions.Section);
        string[] known = [.. typeof(ServingOptions).GetProperties().Where(property => property.CanWrite)
            .Select(property => property.Name)];
        Demand(section.GetChildren().Select(setting => setting.Key).Except(known, StringComparer.OrdinalIgnoreCase)
            .Select(name => $"{NameOf(name)} is not known; there is {string.Join(", ", known.Select(NameOf))}."));
        try
        {
            section.Bind(options);
        }
        catch (InvalidOperationException fault)
        {
            var message = fault.Message.Replace($"{ServingOptions.Section}:", NameOf(""), StringComparison.Ordinal);
            Demand([$"{message} Give a number."]);
        }
        List<ValidationResult> results = [];
        Validator.TryValidateObject(options, new(options), results, validateAllProperties: true);
        Demand(results.Select(result => $"{NameOf(result.MemberNames.First())}: {result.ErrorMessage}"));
    }

    static void Demand(IEnumerable<string> faults)
    {
        if (faults.ToArray() is { Length: > 0 } some)
            throw new OptionsValidationException(ServingOptions.Section, typeof(ServingOptions), some);
    }

    static string NameOf(string property) => $"{ServingOptions.Section}__{property}";
}
