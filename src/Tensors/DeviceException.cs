namespace VaeFunctions.Tensors;

/// <summary>A device to compute on is not there, or computes wrongly; the message says why and what to do.</summary>
public sealed class DeviceException(string message) : Exception(message);
