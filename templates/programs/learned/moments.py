MONTHS = "January February March April May June July August September October November December".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?:\.[0-9]+)?[ ]*([AaPp]\.?[Mm]\.?)?")


def moment(text, part, day_first):
    """A part of the date or the time that a text holds."""
    if text is None:
        raise LookupError
    time = TIME.search(text)
    rest = text[: time.start()] + " " + text[time.end() :] if time else text
    day = day_of(rest, day_first)
    parts = {}
    if day:
        parts.update(day_parts(day))
    if time:
        parts.update(time_parts(*time.groups()))
    return parts[part]


def day_of(text, day_first):
    numbers = re.findall("[0-9]+", text)
    months = [
        at
        for word in re.findall("[A-Za-z]+", text)
        for at, month in enumerate(MONTHS, 1)
        if len(word) >= 3 and month.lower().startswith(word.lower())
    ]
    if months:
        if len(numbers) < 2:
            return None
        year, day = numbers[:2] if len(numbers[0]) == 4 else numbers[1::-1]
        return real_day(year, months[0], day)
    if len(numbers) == 1 and len(numbers[0]) == 8:
        return real_day(numbers[0][:4], int(numbers[0][4:6]), numbers[0][6:])
    if len(numbers) < 3:
        return None
    first, second, third = numbers[:3]
    if len(first) == 4:
        return real_day(first, int(second), third)
    return real_day(third, int(second), first) if day_first else real_day(third, int(first), second)


def real_day(year, month, day):
    year = int(year)
    if year < 100:
        year += 2000 if year < 50 else 1900
    try:
        return datetime.date(year, month, int(day))
    except (ValueError, OverflowError):
        return None


def day_parts(day):
    number = day.day
    ending = "th" if 10 <= number <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    month, weekday = MONTHS[day.month - 1], DAYS[day.weekday()]
    return {
        "year": str(day.year),
        "short_year": "%02d" % (day.year % 100),
        "month": str(day.month),
        "month_two_digits": "%02d" % day.month,
        "month_name": month,
        "short_month_name": month[:3],
        "quarter": str((day.month + 2) // 3),
        "day": str(number),
        "day_two_digits": "%02d" % number,
        "ordinal_day": str(number) + ending,
        "weekday": weekday,
        "short_weekday": weekday[:3],
    }


def time_parts(hours, minutes, seconds, half):
    hour = int(hours)
    if half:
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    if hour > 23 or int(minutes) > 59:
        return {}
    clock = (hour + 11) % 12 + 1
    return {
        "hour": str(hour),
        "hour_two_digits": "%02d" % hour,
        "hour_of_twelve": str(clock),
        "hour_of_twelve_two_digits": "%02d" % clock,
        "minute": str(int(minutes)),
        "minute_two_digits": "%02d" % int(minutes),
        "second_two_digits": "%02d" % int(seconds or 0),
        "half_of_day": "AM" if hour < 12 else "PM",
    }
