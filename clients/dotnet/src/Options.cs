using System;

namespace Loopai
{
    public sealed class LoopaiOptions
    {
        /// <summary>Default: LOOPAI_URL, else http://127.0.0.1:8080.</summary>
        public string BaseUrl { get; set; } = Given("LOOPAI_URL") ?? "http://127.0.0.1:8080";

        /// <summary>Default: LOOPAI_TOKEN.</summary>
        public string Token { get; set; } = Given("LOOPAI_TOKEN");

        /// <summary>For each try.</summary>
        public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

        /// <summary>How often a call is tried at most.</summary>
        public int Tries { get; set; } = 3;

        private static string Given(string name)
        {
            var value = Environment.GetEnvironmentVariable(name);
            return string.IsNullOrEmpty(value) ? null : value;
        }
    }

    public sealed class ExecuteOptions
    {
        /// <summary>A number or a name, instead of the active version.</summary>
        public object Version { get; set; }

        public int? TimeoutMs { get; set; }

        public bool? ForceValidation { get; set; }

        /// <summary>Who asks, kept in the record.</summary>
        public string Client { get; set; }

        /// <summary>Repeated within ten minutes, the call is not run again.</summary>
        public string IdempotencyKey { get; set; }
    }
}
