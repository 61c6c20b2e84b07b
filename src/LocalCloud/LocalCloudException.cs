namespace VaeFunctions.LocalCloud;

/// <summary>A command on this machine cannot go on. Its exit code is 1, something failed, unless it is given otherwise.</summary>
sealed class LocalCloudException : ExplainedException
{
    public LocalCloudException(string message) : base(message) => ExitCode = 1;

    public static LocalCloudException WrongInput(string message) => new(message) { ExitCode = 2 };
}
