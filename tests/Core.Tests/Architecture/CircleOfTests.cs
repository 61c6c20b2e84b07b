// Two namespaces that know each other, one in code and one in a signature, for the test that circles are found.
namespace CircleOfTests.Left
{
    sealed class Hen
    {
        public static object Lay() => new Right.Egg();
    }
}

namespace CircleOfTests.Right
{
    sealed class Egg
    {
        public Func<Left.Hen[]>? Hatch { get; init; }
    }
}
