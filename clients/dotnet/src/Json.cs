using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Loopai
{
    /// <summary>JSON as plain objects. netstandard2.0 has nothing for it that needs no package.</summary>
    public static class Json
    {
        /// <summary>Strings, numbers, flags, null, dictionaries, lists, and objects by their public properties.</summary>
        public static string Write(object value)
        {
            var text = new StringBuilder();
            Write(text, value);
            return text.ToString();
        }

        public static object Read(string text)
        {
            var reader = new Reader(text);
            return reader.ReadDocument();
        }

        private static void Write(StringBuilder text, object value)
        {
            if (value == null) text.Append("null");
            else if (value is string) WriteString(text, (string)value);
            else if (value is bool) text.Append((bool)value ? "true" : "false");
            else if (value is double) WriteDouble(text, (double)value);
            else if (value is float) WriteDouble(text, (float)value);
            else if (value is IDictionary) WriteObject(text, Entries((IDictionary)value));
            else if (value is IEnumerable) WriteList(text, (IEnumerable)value);
            else if (value is Enum || value is char || value is Guid || value is Uri) WriteString(text, value.ToString());
            else if (value is DateTime) WriteString(text, ((DateTime)value).ToString("o", CultureInfo.InvariantCulture));
            else if (value is IFormattable) text.Append(((IFormattable)value).ToString(null, CultureInfo.InvariantCulture));
            else WriteObject(text, Properties(value));
        }

        private static void WriteDouble(StringBuilder text, double value)
        {
            if (double.IsNaN(value) || double.IsInfinity(value)) throw new ArgumentException("JSON has no " + value);
            text.Append(value.ToString("R", CultureInfo.InvariantCulture));
        }

        private static IEnumerable<KeyValuePair<string, object>> Entries(IDictionary value)
        {
            foreach (DictionaryEntry entry in value)
                yield return new KeyValuePair<string, object>((string)entry.Key, entry.Value);
        }

        private static IEnumerable<KeyValuePair<string, object>> Properties(object value)
        {
            foreach (var property in value.GetType().GetProperties())
                yield return new KeyValuePair<string, object>(property.Name, property.GetValue(value, null));
        }

        private static void WriteObject(StringBuilder text, IEnumerable<KeyValuePair<string, object>> entries)
        {
            var separator = "{";
            foreach (var entry in entries)
            {
                text.Append(separator);
                WriteString(text, entry.Key);
                text.Append(':');
                Write(text, entry.Value);
                separator = ",";
            }
            text.Append(separator == "{" ? "{}" : "}");
        }

        private static void WriteList(StringBuilder text, IEnumerable items)
        {
            var separator = "[";
            foreach (var item in items)
            {
                text.Append(separator);
                Write(text, item);
                separator = ",";
            }
            text.Append(separator == "[" ? "[]" : "]");
        }

        private static void WriteString(StringBuilder text, string value)
        {
            text.Append('"');
            foreach (var letter in value)
            {
                if (letter == '"' || letter == '\\') text.Append('\\').Append(letter);
                else if (letter < ' ') text.Append("\\u").Append(((int)letter).ToString("x4", CultureInfo.InvariantCulture));
                else text.Append(letter);
            }
            text.Append('"');
        }

        private sealed class Reader
        {
            private readonly string text;
            private int place;

            public Reader(string text)
            {
                this.text = text;
            }

            public object ReadDocument()
            {
                var value = ReadValue();
                SkipSpace();
                if (place < text.Length) throw Broken();
                return value;
            }

            private object ReadValue()
            {
                SkipSpace();
                if (place >= text.Length) throw Broken();
                switch (text[place])
                {
                    case '{': return ReadObject();
                    case '[': return ReadList();
                    case '"': return ReadString();
                    case 't': Take("true"); return true;
                    case 'f': Take("false"); return false;
                    case 'n': Take("null"); return null;
                    default: return ReadNumber();
                }
            }

            private Dictionary<string, object> ReadObject()
            {
                var value = new Dictionary<string, object>();
                Take("{");
                if (TakesIf('}')) return value;
                do
                {
                    SkipSpace();
                    var name = ReadString();
                    SkipSpace();
                    Take(":");
                    value[name] = ReadValue();
                }
                while (TakesIf(','));
                Take("}");
                return value;
            }

            private List<object> ReadList()
            {
                var value = new List<object>();
                Take("[");
                if (TakesIf(']')) return value;
                do value.Add(ReadValue());
                while (TakesIf(','));
                Take("]");
                return value;
            }

            private string ReadString()
            {
                var value = new StringBuilder();
                Take("\"");
                while (true)
                {
                    if (place >= text.Length) throw Broken();
                    var letter = text[place++];
                    if (letter == '"') return value.ToString();
                    value.Append(letter == '\\' ? ReadEscape() : letter);
                }
            }

            private char ReadEscape()
            {
                if (place >= text.Length) throw Broken();
                var letter = text[place++];
                if (letter == 'u')
                {
                    if (place + 4 > text.Length) throw Broken();
                    var code = text.Substring(place, 4);
                    place += 4;
                    return (char)int.Parse(code, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                }
                const string from = "nrtbf\"\\/";
                const string to = "\n\r\t\b\f\"\\/";
                var index = from.IndexOf(letter);
                if (index < 0) throw Broken();
                return to[index];
            }

            private object ReadNumber()
            {
                var start = place;
                while (place < text.Length && "+-.eE0123456789".IndexOf(text[place]) >= 0) place++;
                var digits = text.Substring(start, place - start);
                long whole;
                if (long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out whole)) return whole;
                double number;
                if (double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out number)) return number;
                throw Broken();
            }

            private bool TakesIf(char letter)
            {
                SkipSpace();
                if (place >= text.Length || text[place] != letter) return false;
                place++;
                return true;
            }

            private void Take(string word)
            {
                if (string.CompareOrdinal(text, place, word, 0, word.Length) != 0) throw Broken();
                place += word.Length;
            }

            private void SkipSpace()
            {
                while (place < text.Length && " \t\r\n".IndexOf(text[place]) >= 0) place++;
            }

            private FormatException Broken()
            {
                return new FormatException("this is not JSON, from position " + place + " on");
            }
        }
    }
}
