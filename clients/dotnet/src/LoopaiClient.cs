using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Loopai
{
    /// <summary>Calls one Loop App that `loopai serve` answers for.</summary>
    public sealed class LoopaiClient : IDisposable
    {
        private const double LongestWaitSeconds = 60;
        private static readonly int[] Retried = { 429, 502, 503, 504 };
        private static readonly Random Dice = new Random();

        private readonly string loopAppId;
        private readonly LoopaiOptions options;
        private readonly HttpClient http;

        public LoopaiClient(string loopAppId, LoopaiOptions options = null)
        {
            this.loopAppId = loopAppId;
            this.options = options ?? new LoopaiOptions();
            http = new HttpClient { Timeout = this.options.Timeout };
            if (this.options.Token != null)
                http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", this.options.Token);
        }

        /// <summary>Throws a ValidationException when the input does not fit, and an ExecutionException when the program fails.</summary>
        public async Task<Execution> ExecuteAsync(
            object input, ExecuteOptions execute = null, CancellationToken cancel = default(CancellationToken))
        {
            execute = execute ?? new ExecuteOptions();
            var body = Given(new Dictionary<string, object>
            {
                { "version", execute.Version },
                { "timeout_ms", execute.TimeoutMs },
                { "force_validation", execute.ForceValidation },
                { "client", execute.Client },
            });
            body["input"] = input;
            return new Execution(await PostAsync("execute", body, cancel, execute.IdempotencyKey).ConfigureAwait(false));
        }

        /// <summary>Answers in the order of the inputs. A failure is a result like any other.</summary>
        public async Task<Batch> ExecuteBatchAsync(
            IEnumerable<object> inputs,
            int? maxConcurrency = null,
            bool stopOnFirstError = false,
            CancellationToken cancel = default(CancellationToken))
        {
            var body = Given(new Dictionary<string, object>
            {
                { "items", inputs.Select(ItemOf).ToList() },
                { "max_concurrency", maxConcurrency },
                { "stop_on_first_error", stopOnFirstError },
            });
            return new Batch(await PostAsync("execute-batch", body, cancel).ConfigureAwait(false));
        }

        /// <summary>Any number of inputs, sent and answered a few hundred at a time, in order.</summary>
        public async Task StreamAsync(
            IEnumerable<object> inputs,
            Func<BatchResult, Task> onResult,
            int chunkSize = 256,
            CancellationToken cancel = default(CancellationToken))
        {
            var chunk = new List<object>();
            foreach (var item in inputs.Select(ItemOf))
            {
                chunk.Add(item);
                if (chunk.Count == chunkSize) await SendChunkAsync(chunk, onResult, cancel).ConfigureAwait(false);
            }
            if (chunk.Count > 0) await SendChunkAsync(chunk, onResult, cancel).ConfigureAwait(false);
        }

        /// <summary>Tells what the output should have been.</summary>
        public async Task<Feedback> FeedbackAsync(
            string executionId, object expected, string comment = null, CancellationToken cancel = default(CancellationToken))
        {
            var body = Given(new Dictionary<string, object> { { "execution_id", executionId }, { "comment", comment } });
            body["expected"] = expected;
            return new Feedback(await PostAsync("feedback", body, cancel).ConfigureAwait(false));
        }

        public async Task<Health> HealthAsync(CancellationToken cancel = default(CancellationToken))
        {
            var text = await SendAsync(() => new HttpRequestMessage(HttpMethod.Get, Url("/healthz")), cancel).ConfigureAwait(false);
            return new Health(DocumentOf(text));
        }

        public void Dispose()
        {
            http.Dispose();
        }

        private async Task SendChunkAsync(List<object> chunk, Func<BatchResult, Task> onResult, CancellationToken cancel)
        {
            var body = string.Concat(chunk.Select(item => Json.Write(item) + "\n"));
            chunk.Clear();
            var text = await SendAsync(() => Post("execute-batch", body, "application/x-ndjson", null), cancel).ConfigureAwait(false);
            foreach (var line in text.Split('\n').Where(line => line != ""))
                await onResult(new BatchResult(DocumentOf(line))).ConfigureAwait(false);
        }

        private async Task<Dictionary<string, object>> PostAsync(
            string verb, Dictionary<string, object> body, CancellationToken cancel, string key = null)
        {
            var json = Json.Write(body);
            return DocumentOf(await SendAsync(() => Post(verb, json, "application/json", key), cancel).ConfigureAwait(false));
        }

        private HttpRequestMessage Post(string verb, string body, string type, string key)
        {
            var request = new HttpRequestMessage(HttpMethod.Post, Url("/loop-apps/" + Uri.EscapeDataString(loopAppId) + "/" + verb));
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
            if (key != null) request.Headers.Add("Idempotency-Key", key);
            return request;
        }

        /// <summary>Tries again what may go better the next time: no connection, a full queue, a server that is not ready or was too slow.</summary>
        private async Task<string> SendAsync(Func<HttpRequestMessage> make, CancellationToken cancel)
        {
            for (var attempt = 1; ; attempt++)
            {
                LoopaiException problem;
                TimeSpan? asked = null;
                try
                {
                    using (var request = make())
                    using (var response = await http.SendAsync(request, cancel).ConfigureAwait(false))
                    {
                        var bytes = await response.Content.ReadAsByteArrayAsync().ConfigureAwait(false);
                        var text = Encoding.UTF8.GetString(bytes);
                        if (response.IsSuccessStatusCode) return text;
                        var status = (int)response.StatusCode;
                        problem = LoopaiException.Of(status, ProblemOf(text));
                        if (!Retried.Contains(status)) throw problem;
                        asked = RetryAfter(response);
                    }
                }
                catch (Exception error) when (IsConnection(error) && !cancel.IsCancellationRequested)
                {
                    problem = new ConnectionException(options.BaseUrl + " does not answer: " + error.GetBaseException().Message, error);
                }
                if (attempt >= options.Tries) throw problem;
                await Task.Delay(asked ?? BackOff(attempt), cancel).ConfigureAwait(false);
            }
        }

        private static bool IsConnection(Exception error)
        {
            return error is HttpRequestException || error is IOException || error is OperationCanceledException;
        }

        private static TimeSpan? RetryAfter(HttpResponseMessage response)
        {
            IEnumerable<string> values;
            double seconds;
            if (!response.Headers.TryGetValues("Retry-After", out values)) return null;
            if (!double.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out seconds)) return null;
            return TimeSpan.FromSeconds(Math.Min(seconds, LongestWaitSeconds));
        }

        private static TimeSpan BackOff(int attempt)
        {
            double luck;
            lock (Dice) luck = Dice.NextDouble();
            return TimeSpan.FromSeconds(Math.Min(10, 0.5 * Math.Pow(2, attempt - 1)) * (0.5 + luck / 2));
        }

        private string Url(string path)
        {
            return options.BaseUrl.TrimEnd('/') + path;
        }

        private static object ItemOf(object input, int place)
        {
            return new Dictionary<string, object> { { "id", place }, { "input", input } };
        }

        private static Dictionary<string, object> Given(Dictionary<string, object> body)
        {
            return body.Where(entry => entry.Value != null).ToDictionary(entry => entry.Key, entry => entry.Value);
        }

        private static Dictionary<string, object> DocumentOf(string text)
        {
            return (Dictionary<string, object>)Json.Read(text);
        }

        private static Dictionary<string, object> ProblemOf(string text)
        {
            try
            {
                return Json.Read(text) as Dictionary<string, object> ?? new Dictionary<string, object>();
            }
            catch (FormatException)
            {
                // A proxy on the way answers in its own words.
                return new Dictionary<string, object>();
            }
        }
    }
}
