using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading.Tasks;
using Loopai;

/// <summary>Runs the shared vectors: reads one a line, prints one result a line. Usage: vectors.exe [base url] [token]</summary>
public static class Vectors
{
    public static void Main(string[] args)
    {
        var input = new System.IO.StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false));
        var output = new System.IO.StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) { AutoFlush = true };
        for (var line = input.ReadLine(); line != null; line = input.ReadLine())
        {
            var vector = (Dictionary<string, object>)Json.Read(line);
            output.WriteLine(Json.Write(Run(vector, args[0], args[1]).Result));
        }
    }

    private static async Task<object> Run(Dictionary<string, object> vector, string url, string token)
    {
        var options = new LoopaiOptions
        {
            BaseUrl = url + Get(vector, "via", ""),
            Token = Get(vector, "token", token),
            Tries = (int)Get(vector, "tries", 3L),
        };
        using (var client = new LoopaiClient(Get(vector, "app", "vectors-001"), options))
        {
            try
            {
                return await Call(client, vector);
            }
            catch (LoopaiException error)
            {
                return Describe(error);
            }
        }
    }

    private static async Task<object> Call(LoopaiClient client, Dictionary<string, object> vector)
    {
        switch ((string)vector["call"])
        {
            case "execute":
                return (await client.ExecuteAsync(vector["input"], OptionsOf(vector))).Document;
            case "execute_batch":
                return (await client.ExecuteBatchAsync((List<object>)vector["inputs"])).Document;
            case "stream":
                var results = new List<object>();
                Func<BatchResult, Task> keep = result =>
                {
                    results.Add(result.Document);
                    return Task.FromResult(0);
                };
                await client.StreamAsync((List<object>)vector["inputs"], keep, (int)(long)vector["chunk_size"]);
                return results;
            case "feedback":
                var id = Get<string>(vector, "execution_id", null) ?? (await client.ExecuteAsync(vector["input"])).ExecutionId;
                return (await client.FeedbackAsync(id, vector["expected"])).Document;
            default:
                return (await client.HealthAsync()).Document;
        }
    }

    private static ExecuteOptions OptionsOf(Dictionary<string, object> vector)
    {
        var given = Get(vector, "options", new Dictionary<string, object>());
        return new ExecuteOptions
        {
            Version = Get<object>(given, "version", null),
            TimeoutMs = given.ContainsKey("timeout_ms") ? (int?)(long)given["timeout_ms"] : null,
        };
    }

    /// <summary>Exceptions are called errors elsewhere.</summary>
    private static object Describe(LoopaiException error)
    {
        var facts = new Dictionary<string, object>
        {
            { "error", error.GetType().Name.Replace("Exception", "Error") },
            { "status", error.Status },
            { "code", error.Code },
        };
        if (error is ValidationException) facts["pointers"] = ((ValidationException)error).Pointers.Cast<object>().ToList();
        if (error is ExecutionException) facts["kind"] = ((ExecutionException)error).Kind;
        return facts;
    }

    private static T Get<T>(Dictionary<string, object> from, string name, T otherwise)
    {
        object value;
        return from.TryGetValue(name, out value) && value is T ? (T)value : otherwise;
    }
}
