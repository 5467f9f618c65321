using System.Collections.Generic;
using System.Linq;

namespace Loopai
{
    /// <summary>What the server answered; <see cref="Document"/> has all of it.</summary>
    public abstract class Answer
    {
        internal Answer(Dictionary<string, object> document)
        {
            Document = document;
        }

        public IDictionary<string, object> Document { get; }

        protected T Get<T>(string name)
        {
            object value;
            return Document.TryGetValue(name, out value) && value is T ? (T)value : default(T);
        }
    }

    public sealed class Execution : Answer
    {
        internal Execution(Dictionary<string, object> document) : base(document) { }

        public object Output { get { return Get<object>("output"); } }

        public string ExecutionId { get { return Get<string>("execution_id"); } }

        public long Version { get { return Get<long>("version"); } }

        public string Reason { get { return Get<string>("reason"); } }
    }

    public sealed class BatchResult : Answer
    {
        internal BatchResult(Dictionary<string, object> document) : base(document) { }

        public long Id { get { return Get<long>("id"); } }

        /// <summary>success, error, timeout or skipped.</summary>
        public string Status { get { return Get<string>("status"); } }

        public object Output { get { return Get<object>("output"); } }
    }

    public sealed class Batch : Answer
    {
        internal Batch(Dictionary<string, object> document) : base(document) { }

        public long Succeeded { get { return Get<long>("succeeded"); } }

        public long Failed { get { return Get<long>("failed"); } }

        public IList<BatchResult> Results
        {
            get
            {
                var results = Get<List<object>>("results") ?? new List<object>();
                return results.OfType<Dictionary<string, object>>().Select(one => new BatchResult(one)).ToList();
            }
        }
    }

    public sealed class Feedback : Answer
    {
        internal Feedback(Dictionary<string, object> document) : base(document) { }

        /// <summary>Whether the output was right; null when it was not kept.</summary>
        public bool? IsMatch { get { return Get<bool?>("match"); } }
    }

    public sealed class Health : Answer
    {
        internal Health(Dictionary<string, object> document) : base(document) { }

        public string Status { get { return Get<string>("status"); } }
    }
}
