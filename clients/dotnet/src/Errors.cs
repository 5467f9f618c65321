using System;
using System.Collections.Generic;
using System.Linq;

namespace Loopai
{
    /// <summary>Whatever the server refuses, with the code that the command line gives for it.</summary>
    public class LoopaiException : Exception
    {
        public LoopaiException(string message, int? status, IDictionary<string, object> problem, Exception cause = null)
            : base(message, cause)
        {
            Status = status;
            Problem = problem ?? new Dictionary<string, object>();
        }

        public int? Status { get; }

        /// <summary>The problem document, as the server sent it.</summary>
        public IDictionary<string, object> Problem { get; }

        public string Code { get { return Text("code"); } }

        protected string Text(string name)
        {
            object value;
            return Problem.TryGetValue(name, out value) ? value as string : null;
        }

        internal static LoopaiException Of(int status, IDictionary<string, object> problem)
        {
            object detail;
            var known = problem.TryGetValue("detail", out detail) ? detail as string : null;
            var message = known ?? "the server answered " + status;
            switch (status)
            {
                case 404: return new NotFoundException(message, status, problem);
                case 422: return new ValidationException(message, status, problem);
                case 500:
                case 502:
                case 504: return new ExecutionException(message, status, problem);
                default: return new LoopaiException(message, status, problem);
            }
        }
    }

    /// <summary>The input does not fit the schema.</summary>
    public sealed class ValidationException : LoopaiException
    {
        internal ValidationException(string message, int status, IDictionary<string, object> problem)
            : base(message, status, problem) { }

        /// <summary>JSON pointers into the input.</summary>
        public IList<string> Pointers
        {
            get
            {
                object value;
                var list = Problem.TryGetValue("pointers", out value) ? value as List<object> : null;
                return list == null ? new List<string>() : list.OfType<string>().ToList();
            }
        }
    }

    /// <summary>The program failed: it raised, was too slow, or its output does not fit.</summary>
    public sealed class ExecutionException : LoopaiException
    {
        internal ExecutionException(string message, int status, IDictionary<string, object> problem)
            : base(message, status, problem) { }

        public string Kind { get { return Text("kind"); } }

        public string ExecutionId { get { return Text("execution_id"); } }
    }

    public sealed class NotFoundException : LoopaiException
    {
        internal NotFoundException(string message, int status, IDictionary<string, object> problem)
            : base(message, status, problem) { }
    }

    public sealed class ConnectionException : LoopaiException
    {
        internal ConnectionException(string message, Exception cause) : base(message, null, null, cause) { }
    }
}
