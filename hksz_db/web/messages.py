"""What services say about a request, in the words and the language of the page.

Services speak English, and name the fields and terms of the API.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache

from hksz_db.web.stated import restated
from hksz_db.web.terms import term
from hksz_db.web.translating import gettext
from hksz_db.web.translating import marked as _
from hksz_db.web.units import unit_in_words
from hksz_db.web.wording import time_in_words

# What the services say, and what pages say in place of it. ``%(name)s`` stands for any text.
_REWORDED = {
    "“%(date)s” %(reason)s (position %(place)s).": _(
        "%(date)s is not a date that can be read. Write 2023, 2024-03, 2024-03-14, 2010~ for about"
        " 2010, or 2023/2024 for a range."
    ),
    "%(reason)s Give comparator, amount or bounds, and unit_code.": _(
        "%(reason)s Correct the reading below, and choose the unit."
    ),
    "A claimant is required: claimant_id, claimant_external_id or claimant_as_stated.": _(
        "Say who makes the claim."
    ),
    "Must be one of: %(terms)s.": _("Choose one of the list."),
    "Must be a BCP 47 tag, such as en or zh-Hant.": _(
        "Write the name of a language, or its tag, such as en or zh-Hant."
    ),
    "Must be lower-case letters and digits, joined by single hyphens.": _(
        "Use lower-case letters and digits, joined by single hyphens, such as talent-schemes."
    ),
    "Must be a UCUM code or an ISO 4217 currency of visible ASCII characters.": _(
        "Choose one of the units that are suggested."
    ),
    "Must be an absolute http or https URL in ASCII.": _(
        "Write the whole address, beginning with https:// or http://."
    ),
    "There is no unit %(unit)s. It was read from as_stated: %(advice)s": _(
        "The unit %(unit)s, which was read from the words, is not known here. Choose another one."
    ),
    "There is no unit %(unit)s. %(advice)s": _(
        "There is no unit %(unit)s. Choose one of the suggestions."
    ),
    "There is no unit %(unit)s.": _("There is no unit %(unit)s. Choose one of the suggestions."),
    "The metric measures %(dimension)s, the unit %(unit)s %(other_dimension)s.": _(
        "What is counted is %(dimension)s, and the unit %(unit)s is for %(other_dimension)s."
    ),
    "The comparator between takes two bounds and no amount.": _(
        "“Between two numbers” takes the two bounds, and no amount."
    ),
    "The comparator between needs both bounds.": _("“Between two numbers” needs both bounds."),
    "The comparator %(comparator)s needs an amount.": _("“%(comparator)s” needs an amount."),
    "The comparator eq takes an amount and no bounds.": _(
        "“Equal to” takes an amount, and no bounds."
    ),
    "The text states a share, and the metric measures %(dimension)s.": _(
        "The words state a share, and what is counted is %(dimension)s."
    ),
    "The text names no known unit, and the metric measures %(dimension)s.": _(
        "The words name no known unit, and what is counted is %(dimension)s."
    ),
    (
        "The text states a place of a ranking, which is an amount only for a metric with the"
        " measure rank."
    ): _("The words state a place in a ranking, but what is counted is no ranking."),
    (
        "The text states a multiple, which is an amount only for a metric of the dimension ratio"
        " with the measure ratio_to_base or growth_rate."
    ): _("The words state a multiple, but what is counted is no growth."),
    (
        "The text states a change, which is an amount only for a metric with the measure change or"
        " growth_rate."
    ): _("The words state a change, but what is counted is no change."),
    "A comparator does not go with a range or a share in words.": _(
        "Words such as “about” do not go with a range, or with a share in words."
    ),
    "Only eq can be exact, but the comparator is %(comparator)s.": _(
        "Only a figure that is equal to a number can be exact, and this one is “%(comparator)s”."
    ),
    "The figure is actual, but its period has not begun.": _(
        "The figure is stated as a fact, but its period has not begun."
    ),
    "The claim is actual, but its time has not begun.": _(
        "The claim is stated as a fact, but its time has not begun."
    ),
    "The source was published (%(issued)s) before the time of the actual claim (%(time)s).": _(
        "The source was published (%(issued)s) before the time of the claim (%(time)s), which is"
        " stated as a fact."
    ),
    "The planned claim was due (%(time)s) before its source was published (%(issued)s).": _(
        "The plan was due (%(time)s) before its source was published (%(issued)s)."
    ),
    "The words state a change, and the measure of the metric is %(measure)s.": _(
        "The words state a change, and what is counted is %(measure)s."
    ),
    "The words state “%(stated)s”, but the figure has the unit %(unit)s.": _(
        "The words state “%(stated)s”, but the figure has the unit %(unit)s."
    ),
    "The words state “%(stated)s”, but the figure has the comparator %(comparator)s.": _(
        "The words state “%(stated)s”, but the figure is “%(comparator)s”."
    ),
    "The words state “%(stated)s”, but the figure has %(figure)s.": _(
        "The words state “%(stated)s”, but the figure has %(figure)s."
    ),
    "The %(resource)s %(id)s is at version %(number)s, not the one given.": _(
        "It was changed after you had opened it. Compare both versions, and send the form again."
    ),
    "The %(resource)s %(id)s was deleted; it can be restored.": _("It was deleted."),
    "The %(resource)s %(id)s was deleted.": _("It was deleted."),
    "There is no %(resource)s %(id)s.": _("There is no entry with the id %(id)s."),
    "The key “%(key)s” lacks the scope %(scope)s.": _(
        "The key “%(key)s” does not have the right %(scope)s."
    ),
    "A key cannot accept what it has written%(rest)s": _(
        "Nobody can accept what they wrote themselves: somebody else has to review it."
    ),
    "A %(resource)s that is %(before)s can become %(terms)s, not %(after)s.": _(
        "It is now “%(before)s” and cannot become “%(after)s”."
    ),
    "Change the row first.": _("It was rejected: change it before you submit it again."),
    "A rejected row can be submitted again once it has been changed.": _(
        "It was rejected: change it before you submit it again."
    ),
    "The %(resource)s is rejected: %(rest)s": _(
        "It was rejected, and only a reviewer can change it."
    ),
    "The %(resource)s is accepted: %(rest)s": _(
        "It was accepted: it has to be submitted again before it can be changed."
    ),
    "The body has values that cannot be accepted.": _("Some fields cannot be saved as they are."),
    "%(id)s is not an id.": _("Choose the claim again."),
    "The %(resource)s %(id)s (%(state)s) has the %(column)s %(value)s.": _(
        "Another entry has this already: %(value)s."
    ),
    "A row with this key already exists.": _("There is such an entry already."),
    "The quota of this %(holder)s is used up%(rest)s in %(seconds)s s.": _(
        "Too much was asked for in the last minute, by you or by others at your address. Try again"
        " in %(seconds)s s."
    ),
    "The database only takes reads at the moment.": _(
        "Nothing can be saved at the moment. Try again in a few minutes."
    ),
    "The database has no space left on its disk.": _(
        "Nothing can be saved: the database has no space left. Please tell those who run this site."
    ),
    "The database %(rest)s": _("The database does not answer in time. Try again."),
    "It took longer than %(rest)s": _("The database does not answer in time. Try again."),
    "Other requests were changing the same rows; try again.": _(
        "Somebody else is changing the same entries. Try again."
    ),
    "A request with this Idempotency-Key is being carried out; ask again.": _(
        "The form is being saved. Send it again in a moment."
    ),
}
# What pages say as the services do.
_KEPT = (
    _("This field is required."),
    _("Must not be null."),
    _("May not be blank."),
    _("May have at most %(number)s characters."),
    _("Character %(character)s at position %(place)s is not allowed."),
    _("Must be a whole number."),
    _("Must be a decimal number, as a string or a number."),
    _("Must be a decimal number of at most 30 digits before and 20 after the point."),
    _("Must be a DOI such as 10.1000/182."),
    _("The port must be a number of at most 65535."),
    _("Must not contain a user name or a password."),
    _("Must have %(first)s to %(last)s items."),
    _("The upper bound is below the lower bound."),
    _("This metric cannot be negative."),
    _("The amount is outside its bounds."),
    _("The amount is already the lower bound."),
    _("The amount is already the upper bound."),
    _("The upper bound is too low for the amount."),
    _("The lower bound is too high for the amount."),
    _("The text states no number."),
    _("The text states more than one number."),
    _("The text states two changes."),
    _("The text states the level that was reached, or a change."),
    _("The text states an amount “%(words)s”."),
    _("The text may state a multiple, or the difference that it makes."),
    _("The text does not say by how much something rose or fell."),
    _("The text does not say how many “all” are."),
    _("The text is longer than %(number)s characters."),
    _("The words around the number compare in two ways."),
    _("The number has two units."),
    _("The number has two currencies."),
    _("The two numbers of the range have different units."),
    _("The first number of the range is not below the second."),
    _("The part is above the total."),
    _("The number words are in an unusual order."),
    _("The commas after “%(words)s” do not group thousands."),
    _("The point of “%(words)s” may separate thousands or decimals."),
    _("A number was expected at “%(words)s”."),
    _("A number has more than %(number)s digits."),
    _("A number with an unknown rest does not go with a range."),
    _("A fraction in words is less than one."),
    _("A raised or lowered character after a number is not understood."),
    _("What follows the number in “%(words)s” is not understood."),
    _("“%(words)s” needs two numbers."),
    _("“%(words)s” after the number is not understood."),
    _("“%(words)s” before a currency is not understood."),
    _("“%(words)s” may be read in two ways."),
    _("“%(words)s” is an ordinal."),
    _("“%(words)s” is no number that is understood."),
    _("“%(words)s” is not understood."),
    _("“m” may stand for million or for metres."),
    _("The statement is about %(years)s, but the time of the claim is %(time)s."),
    _("The key is not known."),
    _("The key was revoked."),
    _("The key has expired."),
    _("The form is not complete: its hidden fields are missing."),
    _("Another site has sent this form. Send it from these pages."),
)
_MESSAGES: Mapping[str, str] = _REWORDED | {each: each for each in _KEPT}


def _term_of(vocabulary: str) -> Callable[[str], str]:
    return lambda value: term(vocabulary, value)


_QUOTED, _PLACEHOLDER = re.compile("“(.+?)”"), re.compile(r"%\\\((\w+)\\\)s")


def in_words(message: str) -> str:
    """The message as the page says it; one that is not known stays as it is."""
    for pattern, text in _patterns():
        if (found := pattern.fullmatch(message)) is not None:
            said = {name: _SAID.get(name, str)(part) for name, part in found.groupdict().items()}
            return gettext(text, **said)
    return message


# How the texts within messages are said, by the names of their placeholders.
_SAID: Mapping[str, Callable[[str], str]] = {
    "reason": in_words,
    "stated": restated,
    "figure": restated,
    "unit": lambda code: unit_in_words(code) or code,
    "dimension": _term_of("Dimension"),
    "other_dimension": _term_of("Dimension"),
    "measure": _term_of("MetricMeasure"),
    "comparator": _term_of("Comparator"),
    "before": _term_of("ClaimStatus"),
    "after": _term_of("ClaimStatus"),
    "time": time_in_words,
    "issued": time_in_words,
}


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    return [(_pattern(message), text) for message, text in _MESSAGES.items()]


def _pattern(message: str) -> re.Pattern[str]:
    # Services quote texts as Python does.
    quoted = _QUOTED.sub(r"""['"]\1['"]""", re.escape(message))
    return re.compile(_PLACEHOLDER.sub(r"(?P<\1>.+?)", quoted), re.DOTALL)
