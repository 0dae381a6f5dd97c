"""What services say, and what pages say in its place.

``%(name)s`` stands for any text. A quoted text is in the quotes of Python where services say it.
"""

from hksz_db.web.translating import marked as _

REWORDED = {
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
    "%(reason)s This concerns %(row)s.": _("%(reason)s This is about another entry: %(row)s."),
    # Files with references.
    "entry %(number)s: %(reason)s": _("Entry %(number)s: %(reason)s"),
    "line %(number)s: %(reason)s": _("Line %(number)s: %(reason)s"),
    "The file has more than %(number)s MiB, and this format is read as a whole; split it.": _(
        "The file has more than %(number)s MB. Export fewer records."
    ),
    "Line %(line)s is not %(encoding)s (byte %(byte)s).": _(
        "The file is not in UTF-8 (line %(line)s). Export it again in that encoding."
    ),
    "%(what)s is not JSON: %(rest)s": _("The file is not JSON. Export it again."),
    "%(what)s is nested more than %(number)s deep.": _("The file is not JSON of references."),
    "An object has the key “%(name)s” twice.": _(
        "A record of the file has the field “%(name)s” twice."
    ),
    "Unknown suffix; known: %(suffixes)s.": _(
        "Choose a file whose name ends with one of these: %(suffixes)s"
    ),
    "The file is not a list of items.": _("The file is not a list of references."),
    "Must be an object.": _("This is not a reference."),
    "macro without a definition, kept as text: %(name)s": _(
        "abbreviation without a definition, kept as text: %(name)s"
    ),
    # The addresses of lists.
    "The query is invalid.": _("Part of this address is not understood."),
    "The query string is not percent-encoded UTF-8.": _("Part of this address is not understood."),
    "The query string has more than %(number)s parameters.": _("The address is too long."),
    "This cursor was not returned for the same filters and sort order.": _(
        "The address of this page of the list is not valid any more. Begin the list again."
    ),
    "The cursor cannot be used.": _(
        "The address of this page of the list is not valid any more. Begin the list again."
    ),
    "Must be a cursor that came with a page.": _(
        "The address of this page of the list is not valid any more. Begin the list again."
    ),
    "Unknown parameter “%(name)s”%(rest)s": _("Nothing here is called “%(name)s”."),
    "Unknown name “%(name)s”; known: %(names)s.": _("“%(name)s” is not one of these: %(names)s."),
    "Cannot sort by “%(name)s”; known: %(names)s.": _("“%(name)s” is not one of these: %(names)s."),
    "Given more than once%(rest)s": _("It is given more than once."),
    "“%(period)s” has no %(end)s day to compare with.": _(
        "%(period)s has no end on this side, so nothing can be compared with it."
    ),
    "Must be a UUID, such as %(example)s.": _("This is not an id."),
    "Must be between the years 1 and 9999.": _("The year must be from 1 to 9999."),
    "Must be a time with its offset from UTC, such as %(example)s.": _(
        "Write the time with its offset from UTC, such as %(example)s."
    ),
    "Has a space where the offset from UTC begins. %(rest)s": _(
        "Write the plus sign before the offset from UTC as %%2B."
    ),
    # Writes.
    "Must be above %(other)s.": _("The passage is not marked as a whole. Mark it again."),
    "A locator must be complete%(rest)s": _("The passage is not marked as a whole. Mark it again."),
    "A passage with a locator in the loose form needs one in the exact form, too.": _(
        "The passage is not marked as a whole. Mark it again."
    ),
    "A locator must end within its capture.": _(
        "The passage ends after the text that was stored. Paste the text again, and mark it again."
    ),
    "Must be 64 lower-case hexadecimal digits.": _(
        "The passage is not marked as a whole. Mark it again."
    ),
    "Evidence has locators in a capture that would be removed.": _(
        "Passages are marked in a text that would be removed."
    ),
    "The source has no capture %(id)s.": _(
        "The text that you pasted is not stored with the source. Send the form again."
    ),
    "Must be an ISO 8601 duration in one unit, such as P20Y.": _("Choose one of the list."),
    "The request refers to rows that do not exist.": _(
        "The form names an entry that does not exist."
    ),
    "Other rows refer to what would change, or a row was deleted meanwhile.": _(
        "Somebody else has changed or deleted what this depends on. Load the page again."
    ),
    "This field cannot be changed after creation (current value: %(value)s).": _(
        "This cannot be changed any more. It is: %(value)s"
    ),
    "Some fields cannot be changed after creation.": _("This cannot be changed any more."),
    "The unit does not fit the metric.": _("The unit does not fit what is counted."),
    "A value cannot be stored.": _("A field has a value that cannot be saved."),
    "Two items have %(what)s, or another row already has them.": _(
        "Two of the lines are the same, or another entry has one of them already."
    ),
    "This %(column)s is taken in %(table)s.": _("Another entry has this already."),
    "A row with the same %(columns)s already exists.": _("There is such an entry already."),
    "Database schema is out of date; run `alembic upgrade head`.": _(
        "The database is being upgraded. Please tell those who run this site if this lasts."
    ),
    "Another request had this Idempotency-Key; a new one needs a key of its own.": _(
        "The form has been sent before, with other contents. Send it again."
    ),
    "A rule of the model is violated.": _("Some fields cannot be saved as they are."),
    "The constraint %(name)s is violated.": _("This cannot be saved (%(name)s)."),
    "The relations of sources may not form a cycle: %(rows)s.": _(
        "The sources would repeat each other in a circle."
    ),
    "Claims that supersede or correct each other may not form a cycle: %(rows)s.": _(
        "The claims would replace each other in a circle."
    ),
    "The derivations of evidence may not form a cycle: %(rows)s.": _(
        "The passages would derive from each other in a circle."
    ),
    "A note goes with a review: %(rest)s": _("A note goes with a decision. Choose one."),
    "The note belongs to no review.": _("A note goes with a decision. Choose one."),
    # Merges, also where they are undone.
    "The %(resource)s cannot be merged.": _("They cannot be merged."),
    "The %(column)s of both must be the same, but is %(first)s and %(second)s.": _(
        "They cannot be merged, because they differ: %(first)s and %(second)s."
    ),
    "The other is accepted, and this one is %(before)s: review it first.": _(
        "The other is accepted, and this one is “%(before)s”: review it first."
    ),
    "A row cannot be merged into itself.": _("An entry cannot be merged into itself."),
    "The %(resource)s %(id)s is not merged.": _("It is no longer merged."),
    "%(id)s was itself merged: undo that first.": _(
        "The entry %(id)s was itself merged: undo that first."
    ),
    "%(id)s was deleted: restore it first.": _("The entry %(id)s was deleted."),
    "%(id)s is %(before)s, and %(other)s was accepted: review the former first.": _(
        "The entry %(id)s is “%(before)s”, and the other was accepted: review the former first."
    ),
    "%(id)s was merged later and shares rows: undo that first.": _(
        "The entry %(id)s was merged later, and the two have parts in common: undo that first."
    ),
    "%(id)s, which is related to it, was merged: undo that first.": _(
        "The entry %(id)s, to which it is related, was merged: undo that first."
    ),
    "The %(resource)s cannot be restored: it refers to deleted rows.": _(
        "It refers to entries that were deleted."
    ),
    "The %(resource)s cannot be deleted because others refer to it.": _(
        "Other entries refer to it."
    ),
    "The %(row)s refers to it.": _("Other entries refer to it."),
    "The %(resource)s %(id)s was merged into %(other)s; that can be undone.": _(
        "It was merged into the entry %(other)s."
    ),
    "The history of the %(resource)s %(id)s has no version %(number)s; %(rest)s": _(
        "There is no version %(number)s of it."
    ),
    "Evidence cannot derive from itself.": _("A passage cannot derive from itself."),
}
"""What pages say in other words, by what services say."""

KEPT = (
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
    _("“%(words)s” within “%(more)s” is not understood."),
    _("“%(words)s” is not understood."),
    _("“m” may stand for million or for metres."),
    _("The statement is about %(years)s, but the time of the claim is %(time)s."),
    _("The key is not known."),
    _("The key was revoked."),
    _("The key has expired."),
    _("The form is not complete: its hidden fields are missing."),
    _("Another site has sent this form. Send it from these pages."),
    _("“%(words)s” does not say what fell by how much."),
    _("“%(words)s” does not count what the number before it counts."),
    _("“%(words)s” in “%(more)s” states no certain amount."),
    _("“%(words)s” after a number that is complete is not understood."),
    _("“%(words)s” before “%(more)s” may be an ordinal."),
    _("%(part)s of %(whole)s is not a share."),
    _("A fraction follows a number that is not whole."),
    _("A number has more than %(number)s digits after the point."),
    _("A number has more than %(number)s digits before the point or %(places)s after it."),
    _("The number has more than %(number)s digits before the point."),
    _("The currency is not known: several countries call theirs the dollar."),
    _("The currency is not known: several countries use the name."),
    _("The currency is not known: 元 is the yuan, the Hong Kong dollar or another one."),
    _("The currency is not known: ¥ is the yuan or the yen."),
    _("The unit is not known: pounds are a currency or a mass."),
    _("The unit is not known: a ton is metric, long or short."),
    _("The unit is not known: Mt is a megatonne, and mt a metric ton."),
    _("The unit is not known: a gallon is imperial or American."),
    _("The unit is not known: there are several kinds of ounce."),
    _("The text states the difference of two shares."),
    _("The text states a part of a currency."),
    _("The text states per cent, or pieces."),
    _("The text states a number in a unit that is not clear."),
    _("The text states a temperature, which no metric has."),
    _("The text states a measure that differs between places."),
    _("The text states how many digits a number has."),
    _("The text states a multiple, or how often something happens."),
    _("The figure could not be read from its words."),
    _("The parts of the figure do not fit each other."),
    _("The unit is not known."),
    _("The file has no entries of BibTeX."),
    _("The file already has an entry %(name)s."),
    _("The form has no field for: %(names)s"),
    _("A set of entries is not a work."),
    _("The entry cannot be read: a comma is missing before %(words)s."),
    _("The entry cannot be read: %(rest)s"),
    _("Not CSL-JSON: a work needs a type or a title."),
    _("The file has no records of RIS."),
    _("The record has no type (TY)."),
    _("The record has no end (ER): the file may have been cut off."),
    _("Braces are nested more than %(number)s deep."),
    _("given twice, only the first is kept: %(name)s"),
    _("refers to an entry that the file lacks: %(name)s"),
    _("not a type of BibTeX, imported as document: %(name)s"),
    _("not a CSL type, imported as document: %(name)s"),
    _("not an RIS type, imported as document: %(name)s"),
    _("LaTeX that is not understood, kept as text: %(words)s"),
    _("read as a season, may be a range of years: %(words)s"),
    _("read as %(time)s only, kept as a note: %(words)s"),
    _("not a date, kept as a note: %(words)s"),
    _("not a season: %(words)s"),
    _("no end of the record (ER)"),
    _("another year, not kept: %(words)s"),
    _("not kept: %(words)s"),
    _("no title: one was made up"),
    _("only the first DOI is kept"),
    _("only the first URL is kept"),
    _("not a DOI: %(words)s"),
    _("not a web address: %(words)s"),
    _("not a language: %(words)s"),
    _("not a name: %(words)s"),
    _("names nobody: %(words)s"),
    _("several names? kept as one: %(words)s"),
    _("a family name? kept as an organisation: %(words)s"),
    _("too long for a name: %(words)s"),
    _("credited twice: %(words)s"),
    _("more %(words)s than listed"),
    _("only the first %(number)s contributors are kept"),
    _("May have at most %(number)s values."),
    _("“%(name)s” is given twice."),
    _("Must be a whole number from %(first)s to %(last)s."),
    _("Must be true or false."),
    _("Must be words to search for."),
    _("A claim cannot be related to itself."),
    _("A source cannot be related to itself."),
    _("An entity cannot be related to itself."),
    _("The status cannot be changed in this way."),
    _("The merge cannot be undone."),
)
"""What pages say in the words of the services."""
