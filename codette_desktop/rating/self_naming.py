"""Phrases in which an answer says who it is or who made it, in the languages that small models speak."""

import re
from collections.abc import Iterator

# "I am", and what comes to the same, right before a name.
_I_AM = r"""(?: \b(?: i\s+am | i['’]m | my\s+name\s+is | call\s+me
    | (?:you\s+are|you['’]re)\s+(?:talking|chatting|speaking)\s+(?:to|with)
    | ich\s+bin | ich\s+hei(?:ß|ss)e | mein\s+name\s+ist | je\s+suis | je\s+m['’]appelle | mon\s+nom\s+est
    | yo\s+soy | soy | me\s+llamo | mi\s+nombre\s+es | io\s+sono | sono | mi\s+chiamo | eu\s+sou | sou
    | meu\s+nome\s+(?:é|e) | me\s+chamo | ik\s+ben | mijn\s+naam\s+is | jestem | nazywam\s+się | ben
    | меня\s+зовут ) \s+
    | (?<!\w)я\s*(?:[-–—]\s*)? | 我\s*(?:是|叫) \s* | 我的名字(?:是|叫) \s* | 私は \s* | 저는\s+ | 나는\s+
    | أنا\s+ | मैं\s+ )"""
_AS = rf"(?: \bas\s+ | {_I_AM} )"  # "as Llama farmers know" says nothing of who writes, "as a Llama model" does
_MARKS = r"[\"'“”‘’«»*_`「『]{0,3}"
# "AI language model": what stands between "I am" and the name, or after it.
_KIND = r"""(?:(?:large|small|helpful|friendly|artificial|intelligent|virtual|open|ai|language)[\s-]+){0,4}
    (?:ai|a\.i\.|assistant|chatbot|chat\s*bot|language\s+model|model|llm|intelligence|bot)\b"""
_CALLED = r"(?:called|named|known\s+as)"
_MADE = r"(?:developed|created|made|built|trained|designed|produced|provided|released|fine-?\s?tuned|powered)"
_SELF = r"\b(?:i\s+am|i['’]m|i\s+was|i\s+have\s+been|i['’]ve\s+been|as\s+an?|my\s+(?:name|maker|creator|developer)s?)\b"
# (self) ... (verb by): the maker follows. The same order of words holds in each of these languages.
_BY = rf"""(?: {_SELF} [^.!?\n]{{0,80}}? \b{_MADE}\s+(?:and\s+\w+\s+)?(?:by|at)
    | \b(?:ich\s+(?:bin|wurde)|als) \b [^.!?\n]{{0,80}}? \bvon
    | \b(?:je\s+suis|j['’]ai\s+été) \b [^.!?\n]{{0,80}}? \bpar
    | \b(?:soy|fui|he\s+sido|sou) \b [^.!?\n]{{0,80}}? \b(?:por|pela|pelo)
    | \b(?:sono|io\s+sono) \b [^.!?\n]{{0,80}}? \bda )
    \s+ (?:the\s+)? (?:(?:team|researchers|engineers|people|company|folks)\s+(?:at|from)\s+|company\s+)?"""
_MADE_OF_ME = r"\bmy\s+(?:maker|creator|developer)s?\s+(?:is|are)\s+(?:the\s+)?(?:team\s+at\s+)?"


def naming_phrases(text: str, known: str) -> Iterator[tuple[str, str]]:
    """Each phrase of `text` that names its writer, as it stands there, and the name in it.

    `known` is a regular expression for names that are known. Besides these, any word with a capital counts where the
    answer calls itself an AI with that name or by that maker.
    """
    for pattern in _patterns(known):
        for match in pattern.finditer(text):
            yield match[0], match["name"]


def _patterns(known: str) -> Iterator[re.Pattern[str]]:
    name = rf"(?P<name>{known})(?![^\W\d_一-鿿぀-ヿ가-힣])"
    article = rf"(?:an?\s+|the\s+|der\s+|die\s+|das\s+|ein\s+|eine\s+)?(?:{_KIND}\s*,?\s*(?:{_CALLED}\s+)?)?"
    flags = re.IGNORECASE | re.VERBOSE
    yield re.compile(rf"{_I_AM}{_MARKS}{name}(?![\s-]+(?:farm|herd|wool))", flags)
    yield re.compile(rf"{_AS}{_MARKS}{article}{_MARKS}{name}(?=[\s,-]+(?:an?\s+)?{_KIND})", flags)
    yield re.compile(rf"{_AS}an?\s+{_KIND}\s*,?\s*(?:which\s+is\s+|that\s+is\s+)?{_CALLED}\s+{_MARKS}{name}", flags)
    yield re.compile(rf"{_BY}{_MARKS}{name}", flags)
    yield re.compile(rf"{_MADE_OF_ME}{_MARKS}{name}", flags)
    yield re.compile(
        rf"我[^。！？\n]{{0,30}}?由\s*{name}\s*[^。！？\n]{{0,12}}?(?:开发|研发|训练|创建|打造|推出)", flags
    )
    # Names nobody knows: only where the sentence says that an AI speaks. Capitals tell them from other words.
    unknown = r"(?P<name>(?-i:[A-ZÀ-ÖØ-Þ][\w.-]*\w(?:\s(?-i:[A-Z])[\w-]+){0,2}))"
    yield re.compile(
        rf"\b(?:i\s+am|i['’]m|my\s+name\s+is)\s+{_MARKS}{unknown}{_MARKS}\s*,\s*(?:an?|the|your)\s+{_KIND}", flags
    )
    yield re.compile(rf"{_SELF}\s+(?:an?\s+)?{_KIND}[^.!?\n]{{0,40}}?\b{_MADE}\s+by\s+(?:the\s+)?{unknown}", flags)
    yield re.compile(rf"{_SELF}\s+(?:an?\s+)?{_KIND}\s*,?\s*{_CALLED}\s+{_MARKS}{unknown}", flags)
