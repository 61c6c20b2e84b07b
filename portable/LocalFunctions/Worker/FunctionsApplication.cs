using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using VaeFunctions.LocalFunctions;

namespace Microsoft.Azure.Functions.Worker
{
    /// <summary>What middleware is added to.</summary>
    public interface IFunctionsWorkerApplicationBuilder
    {
        IServiceCollection Services { get; }

        IFunctionsWorkerApplicationBuilder Use(Func<FunctionExecutionDelegate, FunctionExecutionDelegate> middleware);
    }
}

namespace Microsoft.Azure.Functions.Worker.Builder
{
    /// <summary>The first line of a functions program.</summary>
    public static class FunctionsApplication
    {
        /// <summary>A builder for the functions of the program's own assembly; <c>--port</c> among the arguments sets the port.</summary>
        public static FunctionsApplicationBuilder CreateBuilder(string[] args) => new(args, Assembly.GetEntryAssembly()!);
    }

    /// <summary>Services and configuration of a functions program, until it is built.</summary>
    public sealed class FunctionsApplicationBuilder : IFunctionsWorkerApplicationBuilder
    {
        readonly WebApplicationBuilder web;
        readonly Assembly functions;
        readonly List<Func<FunctionExecutionDelegate, FunctionExecutionDelegate>> middleware = [];

        internal FunctionsApplicationBuilder(string[] args, Assembly functions)
        {
            this.functions = functions;
            web = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
            web.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
            web.Logging.ClearProviders().AddSimpleConsole(console => (console.SingleLine, console.TimestampFormat) = (true, "HH:mm:ss "));
            // The frameworks' own chatter; a start that failed is reported once, by LocalHost.
            web.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
            web.Logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
            web.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        }

        public IServiceCollection Services => web.Services;

        public ConfigurationManager Configuration => web.Configuration;

        public IHostEnvironment Environment => web.Environment;

        public ILoggingBuilder Logging => web.Logging;

        public IFunctionsWorkerApplicationBuilder Use(Func<FunctionExecutionDelegate, FunctionExecutionDelegate> middleware)
        {
            this.middleware.Add(middleware);
            return this;
        }

        public IHost Build() => LocalHost.Build(web, functions, middleware);
    }

    public static class FunctionsApplicationBuilderAspNetCoreExtensions
    {
        /// <summary>Lets HTTP functions take ASP.NET Core's requests and return its results.</summary>
        public static FunctionsApplicationBuilder ConfigureFunctionsWebApplication(this FunctionsApplicationBuilder builder)
        {
            builder.Services.AddMvcCore();
            return builder;
        }
    }
}

namespace Microsoft.Extensions.Hosting
{
    public static class MiddlewareWorkerApplicationBuilderExtensions
    {
        /// <summary>Puts <typeparamref name="T"/> around every function, inside what was added before.</summary>
        public static IFunctionsWorkerApplicationBuilder UseMiddleware<T>(this IFunctionsWorkerApplicationBuilder builder)
            where T : class, IFunctionsWorkerMiddleware
        {
            builder.Services.AddSingleton<T>();
            return builder.Use(next => context => context.InstanceServices.GetRequiredService<T>().Invoke(context, next));
        }
    }
}
