[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
// The programs under test use all cores; two at a time would measure each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
