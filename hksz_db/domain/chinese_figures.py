"""Rewrite a figure that a Chinese text states in the English words that ``stated_figures`` reads.

Both scripts are read. What is not known stays as it is: before the number it is refused, after the
number and its unit it is taken for the name of what is counted.
"""

import math
import re
from collections.abc import Mapping
from decimal import Decimal

HAN = re.compile(r"[\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")

# Pairs of the traditional and the simplified form of the characters in the tables below. 噸 is
# left out, because it is not always the metric 吨.
_PAIRS = (
    "〇零萬万億亿兩两餘余點点過过約约於于將将達达僅仅為为總总計计預预數数絕绝幾几間间個个項项戶户條条輛辆隻只張张處处筆笔種种"
    "層层單单頃顷鐘钟時时歐欧鎊镑圓圆門门臺台韓韩幣币長长漲涨減减縮缩負负環环較较場场從从內内週周號号線线屆届級级畝亩歲岁佔占"
    "飆飙棟栋對对冊册樓楼員员裡里賽赛錢钱來来沒没剛刚碼码頭头類类滿满雙双裏里羅罗"
)
_SIMPLIFIED = str.maketrans(dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True)))

_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"两": 2}
_MAX_LENGTH = 40
_PLACES = {"亿": 10**8, "万": 10**4, "千": 1000, "百": 100, "十": 10}
_MYRIADS = ("万亿", "亿", "万")
SCALES = {
    "百": 100,
    "千": 1000,
    "万": 10**4,
    "百万": 10**6,
    "千万": 10**7,
    "亿": 10**8,
    "百亿": 10**10,
    "千亿": 10**11,
    "万亿": 10**12,
}
"""The scales that the rewritten text may have after a number in digits."""
REST = "多"
WIDE_REST = "余"
"""What the rewritten text has after a number with an unknown rest.

A wide one may be as large as that of 30多, a rest after a unit or a scale is less than one of it.
"""

_SCALE = "(?:万亿|[百千]?[万亿]|千(?![米瓦克])|百(?![分货]))"
_HAN_DIGIT = "[零一二三四五六七八九两]"
# Characters for numbers begin with a digit, or with 十.
_HAN_NUMBER = rf"[一二三四五六七八九两十零](?:{_HAN_DIGIT}|[十百千万亿])*(?:点{_HAN_DIGIT}+)?"
_MIXED_PART = re.compile(rf"([0-9]+)({_SCALE})")
_NUMBER = re.compile(
    rf"(?:(?P<mixed>(?:[0-9]+{_SCALE}){{2,}}(?![0-9]))"
    r"|(?P<arabic>[0-9]+(?:[, ][0-9]{3}(?![0-9]))*(?:\.[0-9]+)?|\.[0-9]+)"
    rf"|(?P<han>{_HAN_NUMBER}))"
    rf"(?P<scale>{_SCALE})?(?P<over>[多余](?P<after>{_SCALE})?)?"
)
_PARTS_OF = re.compile(
    rf"(?P<whole>[百千]|[0-9]+|{_HAN_NUMBER})分之(?=[0-9一二三四五六七八九两十零])"
)
_BEFORE_NUMBER = re.compile(r"\s*(?:[0-9a-z$¥€£-]|[一二三四五六七八九两十零]|百分之)")
_AT_END = re.compile(rf"(?!{HAN.pattern})|以上|以下|左右|的")
_YEAR = re.compile("[12][0-9]{3}")
_NAME = re.compile("[a-z]+-[0-9]+")
_NO_SPACE = re.compile(
    rf"(?<={HAN.pattern}) (?=[0-9]|{HAN.pattern})|(?<=[0-9%$]) (?={HAN.pattern})"
)
_BESIDE_HAN = re.compile(rf"(?<=[0-9a-z%‰])(?={HAN.pattern})|(?<={HAN.pattern})(?=[0-9a-z])")

_LEADING = {
    "about": "约 大约 大概 约为 大约为 约有",
    "an estimated": "估计 预计 预料 估算",
    "over": "逾 超 超过 超出 多于 高于 大于 突破 已超过 已逾 超逾",
    "no fewer than": "至少 最少 不少于 不低于 起码 不下于 至少有 最少有",
    "nearly": "近 接近 将近 逼近 不足 不到 未达 未到 未及 未满 少于 低于 小于 不满",
    "up to": "最多 至多 不多于 不超过 不逾 不高于 高达 多达 最高",
    "exactly": "刚好 正好 恰好",
    "a total of": "共 合共 总共 共有 共计 合计 总计 一共 总数为 累计",
    "only": "仅 只 只有 仅有 仅为",
    "is": "为 是 有 达 达到 已达 达至 占",
    "rose to": "增至 升至 增加至 增加到 上升至 上升到 增长至 增长到 升到 涨至 上涨至 回升至",
    "fell to": "跌至 降至 减至 减少至 减少到 下跌至 下降至 下降到 跌到 降到 回落至",
    "minus": "负",
    "between": "介乎 介于",
    "from": "从 由",
    "": "同比 环比 按年 按月 按季 按年计 较去年同期 比去年同期 较上年 比上年",
}
_RISES = "增长 增加 上升 上涨 增 升 涨 攀升 飙升 急升 回升 多了 增幅 升幅 涨幅"
_FALLS = "减少 下跌 下降 减 跌 降 下滑 缩减 萎缩 回落 收缩 急跌 少了 跌幅 降幅 减幅"
# 減少為3萬 states the level that was reached, or a fall.
_UNCLEAR_CHANGES = [f"{verb}为" for verb in (_RISES + " " + _FALLS).split() if verb[-1] != "幅"]
_MULTIPLES = {
    "doubled": "翻一番 翻了一番 翻倍 倍增 增加一倍 增加了一倍 增长一倍 增长了一倍 上升一倍",
    "quadrupled": "翻两番 翻了两番",
    "halved": "减半 减少一半 下降一半 下跌一半",
}
_SHARES = {
    "half": "一半 半数",
    "nearly half": "近半 近半数 将近一半",
    "over half": "过半 过半数 逾半 逾半数 超过半数 超过一半",
    "most": "大多数 大部分 大部份 多数",
    "the vast majority": "绝大多数 绝大部分 绝大部份",
    "nearly all": "几乎全部 几乎所有",
    "a minority": "少数",
    "all": "全部",
    "100 per cent": "百分之百",
    "half year": "半年",
    "half month": "半个月",
    "half hour": "半小时 半个小时",
}
_CURRENCIES = {
    "hkd": "港元 港币 港圆",
    "rmb": "人民币",
    "usd": "美元 美金",
    "eur": "欧元 欧罗",
    "gbp": "英镑",
    "jpy": "日元 日圆",
    "mop": "澳门元 澳门币 葡币",
    "twd": "新台币 台币",
    "sgd": "新加坡元 坡元",
    "aud": "澳元 澳洲元",
    "cad": "加元 加拿大元",
    "krw": "韩元 韩圜",
    "chf": "瑞士法郎",
}
_UNITS = {
    "%": "%",
    "‰": "‰",
    "per cent": "巴仙",
    "percentage points": "百分点 个百分点",
    "square kilometres": "平方公里 平方千米",
    "square metres": "平方米 平方公尺",
    "square feet": "平方呎 平方英尺",
    "hectares": "公顷",
    "acres": "英亩",
    "kilometres": "公里 千米",
    "metres": "米 公尺",
    "centimetres": "厘米",
    "millimetres": "毫米",
    "miles": "英里 哩",
    "nautical miles": "海里 浬",
    "feet": "呎 英尺",
    "cubic metres": "立方米",
    "litres": "公升",
    "tonnes": "公吨 吨 公噸",
    "tons": "噸",
    "kilograms": "公斤 千克",
    "grams": "克",
    "kilowatts": "千瓦",
    "megawatts": "兆瓦",
    "kilowatt hours": "千瓦时 千瓦小时",
    "years": "年 岁",
    "months": "个月",
    "weeks": "周 星期 个星期",
    "days": "天",
    "hours": "小时 个小时 钟头 个钟头",
    "minutes": "分钟",
    "seconds": "秒 秒钟",
    f"months {REST}": "个多月",
    f"hours {REST}": "个多小时 个多钟头",
    "成": "成",
    "元": "元 圆",
}
_MEASURE_WORDS = (
    "宗 个 家 人 名 间 项 份 件 套 所 座 栋 幢 位 户 条 辆 艘 架 只 张 台 部 起 例 批 场 株 棵 处"
    " 笔 种 类 层 单 股 本 册 篇 封 枚 人次 家次 个人"
)
# Words for an unknown rest, parts of a currency, measures that differ between places, dates,
# ordinals and multiples.
_REFUSED_UNITS = (
    "来 几 数 点 角 毫 仙 分 兆 倍 月 日 号 里 亩 斤 尺 寸 楼 届 级 期 代 线 钱 磅 对 双 打"
)
# They begin with a unit or a measure word, and are names of what is counted.
_NAMES = "成员 成年 成人 成立 成功 成果 成分 米其林 年级 年代 人民 分店 分行 分公司 线上"
_TRAILING = {
    "or more": "以上 或以上 及以上 或更多 起",
    "or less": "以下 或以下 及以下 以内 之内 或更少",
    "or so": "左右 上下",
    "in total": "之间",
    WIDE_REST: "有余",
}
# In the middle of a name they are something else: 起訴, 上下鋪.
_LAST = {"起", "上下"}
_RISE_NOUNS = "增长 增幅 升幅 涨幅 的增长 的增幅 的升幅 的涨幅"
_FALL_NOUNS = "跌幅 降幅 减幅 的跌幅 的降幅 的减幅 减少 下跌 的下跌 下降 的下降"
# They make a rate or a difference of the number, or deny it, unless they are part of these names.
_DIFFERENCES = "每 人均 比 较 倍 第 除 扣 不 未 没"
_HARMLESS = "比赛 比率 比例"
_JOINING_NAMES = {"至": "to", "到": "to", "或": "or"}


def _by_name(*tables: Mapping[str, str]) -> dict[str, str]:
    listed = (pair for table in tables for pair in table.items())
    return {name: word for word, names in listed for name in names.split()}


_BEFORE = _by_name(
    _LEADING,
    {"rose by": _RISES, "fell by": _FALLS},
    {
        f"{change} by": " ".join(f"{name}了" for name in names.split())
        for change, names in (("rose", _RISES), ("fell", _FALLS))
    },
    _MULTIPLES,
    _SHARES,
    _CURRENCIES,
) | {name: name for name in _UNCLEAR_CHANGES}
_CURRENCY_NAMES = _by_name(_CURRENCIES)
_COMPLETE = _by_name(_MULTIPLES, _SHARES).keys() - {"全部"}
_AFTER = _by_name(
    _UNITS,
    _CURRENCIES,
    {word: " ".join(f"元{name}" for name in names.split()) for word, names in _CURRENCIES.items()},
    {"": _MEASURE_WORDS},
) | {name: name for listed in (_REFUSED_UNITS, _NAMES) for name in listed.split()}
_REST = _by_name(_TRAILING, {"increase": _RISE_NOUNS, "decrease": _FALL_NOUNS}) | {
    name: name for listed in (_DIFFERENCES, _HARMLESS) for name in listed.split()
}
NAMES = frozenset(_BEFORE | _AFTER | _REST)
"""All words that are known, in simplified characters."""
_LONGEST = max(map(len, NAMES))


def currency_in_english(name: str) -> str:
    """The English name of a currency, by its Chinese name in either script; else the same name."""
    return _CURRENCY_NAMES.get(name.translate(_SIMPLIFIED), name)


def in_english(text: str) -> str:
    """The text with the Chinese words and numbers of a figure in English and in digits.

    The text is one without capitals, as NFKC normalises it. A text without Han characters is
    returned as it is. Raises ``ValueError`` for numbers that may be read in several ways, or not.
    """
    if not HAN.search(text):
        return text
    return _BESIDE_HAN.sub(" ", _Rewriting(_NO_SPACE.sub("", text)).rewritten())


class _Rewriting:
    def __init__(self, text: str) -> None:
        self._original = text
        self._text = text.translate(_SIMPLIFIED)
        self._at = 0
        self._written: list[str] = []
        self._table = _BEFORE
        self._is_digit = False
        self._counted: set[str] = set()

    def rewritten(self) -> str:
        while self._at < len(self._text):
            if not (self._name() or self._number() or self._joining() or self._phrase()):
                self._copy(1)
        return "".join(self._written)

    def _copy(self, length: int) -> None:
        end = self._at + length
        self._written.append(self._original[self._at : end])
        if self._table is _AFTER and not self._written[-1].isspace():
            self._table = _REST
        self._at = end

    def _write(self, words: str, end: int) -> None:
        self._written.append(words)
        self._at = end

    def _name(self) -> bool:
        """Copy a name such as COVID-19 or CO2, which is no number."""
        found = _NAME.match(self._text, self._at)
        if found:
            self._copy(len(found[0]))
            return True
        before = self._text[self._at - 1 : self._at]
        is_part = self._table is _REST and before.isascii() and before.isalnum()
        if is_part and self._text[self._at].isdecimal():
            self._copy(1)
            return True
        return False

    def _number(self) -> bool:
        parts = _PARTS_OF.match(self._text, self._at)
        found = _NUMBER.match(self._text, parts.end() if parts else self._at)
        if found is None:
            return False
        is_after_number = self._table is _AFTER and found["han"] is not None
        if not (parts or is_after_number or self._is_certain(found)):
            return False
        words = (
            _fraction(parts["whole"], found)
            if parts
            else _in_digits(found, after_digit=self._is_digit)
        )
        followed = self._text[found.end() : found.end() + 1]
        is_year = followed == "年" and _YEAR.fullmatch(found[0])
        if words is None or is_after_number or is_year:
            number = self._original[self._at : found.end()] + ("年" if is_year else "")
            raise ValueError(f"{number!r} is no number that is understood.")
        self._write(words, found.end())
        self._is_digit = not parts and found[0] in _DIGITS
        self._table = _AFTER
        return True

    def _is_certain(self, found: re.Match[str]) -> bool:
        """Whether it is a number, and not part of a word such as 一般."""
        value, end = found["han"] and _value(found["han"]), found.end()
        if found["over"] or not isinstance(value, int) or value >= 100:
            return True
        if self._text[end : end + 1] in _JOINING_NAMES or _AT_END.match(self._text, end):
            return True
        return self._longest(_AFTER, end) not in {"", *_NAMES.split()}

    def _longest(self, table: Mapping[str, str], at: int) -> str:
        pieces = (self._text[at : at + length] for length in range(_LONGEST, 0, -1))
        return next((piece for piece in pieces if piece in table), "")

    def _joining(self) -> bool:
        name = self._text[self._at]
        if self._table is _BEFORE or name not in _JOINING_NAMES:
            return False
        if not _BEFORE_NUMBER.match(self._text, self._at + 1):
            return False
        is_digit = self._is_digit and self._table is _AFTER
        self._write(f" {_JOINING_NAMES[name]} ", self._at + 1)
        self._table, self._is_digit = _BEFORE, is_digit
        return True

    def _phrase(self) -> bool:
        table = self._table
        name = self._longest(table, self._at)
        if not name and table is _AFTER:
            table, name = _REST, self._longest(_REST, self._at)
        if not name:
            return False
        end = self._at + len(name)
        if name in _LAST and end < len(self._text):
            return False
        words = table[name]
        if table is _AFTER:
            self._table = _REST
            self._counted.add("" if words else name)
            if len(self._counted) > 1:
                counted = self._original[self._at : end]
                raise ValueError(f"{counted!r} does not count what the number before it counts.")
            if self._text[end : end + 1] in {"半", "多", "余"}:
                words, end = self._with_more(words, end)
        if name in _COMPLETE:
            self._table = _REST
        if words == name:
            words = self._original[self._at : end]
        self._write(f" {words} ", end)
        return True

    def _with_more(self, unit: str, end: int) -> tuple[str, int]:
        """The unit of 两年半 and 五年多, and where they end."""
        more = self._text[end]
        if not _AT_END.match(self._text, end + 1) or (more != "半" and not unit):
            # 3个半岛 and 3个半月, 5年多元 and 5年多时间, 3个多
            raise ValueError(f"{more!r} within {self._original[self._at :]!r} is not understood.")
        return (f"and a half {unit}" if more == "半" else f"{unit} {REST}"), end + 1


def _value(text: str) -> int | None:
    """The whole number that characters state in full: 三万五千, but not 三万五 and 三四."""
    if len(text) > _MAX_LENGTH:
        return None
    place = next((place for place in _PLACES if place in text), "")
    if not place:
        return _DIGITS.get(text)
    scale = _PLACES[place]
    before, _, after = text.partition(place)
    times = 1 if scale == 10 and not before else _value(before)
    most = 10**8 if place == "亿" else 10**4 if place == "万" else 10
    rest = _value_after(after, scale)
    if times is None or rest is None or not 0 < times < most or rest >= scale:
        return None
    return times * scale + rest


def _value_after(text: str, scale: int) -> int | None:
    if not text:
        return 0
    if text.startswith("零"):
        return _value(text[1:]) or None
    return None if text in _DIGITS and scale > 10 else _value(text)


def _in_digits(found: re.Match[str], *, after_digit: bool = False) -> str | None:
    """The number in digits, with a scale that ``figure_words`` knows."""
    scale = found["scale"] or ""
    if found["arabic"] or "点" in (found["han"] or ""):
        digits = found["arabic"] or _decimals(found["han"])
        if not found["over"]:
            return f" {digits} {scale} " if digits and scale else digits
        known = _decimal(digits)
    else:
        whole = _mixed(found["mixed"]) if found["mixed"] else _value(found["han"])
        if whole is not None and not found["over"]:
            scaled = _scaled(whole * SCALES.get(scale, 1), after_digit)
            return scaled and f" {scaled} "
        known = None if whole is None else Decimal(whole)
    return None if known is None else _with_rest(found, known * SCALES.get(scale, 1))


def _with_rest(found: re.Match[str], number: Decimal) -> str:
    """The number and the sign of its rest, which is below the scale that stands before the sign.

    30多万 leaves more open than 30万多. 百余 is a hundred and a rest that is less than a hundred.
    """
    if found["after"]:
        return f" {_plain(number)} {REST} {found['after']} "
    before = found[0][: -len(found["over"])]
    name = next((name for name in _MYRIADS if before.endswith(name)), "")
    if not name or before[0] in _PLACES:
        return f" {_plain(number)} {REST} "
    return f" {number / SCALES[name]:f} {name} {REST} "


def _decimal(digits: str | None) -> Decimal | None:
    """The number, if it is short enough to be multiplied exactly."""
    return Decimal(re.sub("[, ]", "", digits)) if digits and len(digits) <= 12 else None


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _decimals(text: str) -> str | None:
    whole, _, decimals = text.partition("点")
    value = _value(whole)
    return None if value is None else f"{value}." + "".join(str(_DIGITS[sign]) for sign in decimals)


def _mixed(text: str) -> int | None:
    """The number that 3万5千 and 1亿2000万 state."""
    number, last_scale = 0, math.inf
    for digits, name in _MIXED_PART.findall(text):
        part = int(digits) * SCALES[name]
        if part >= last_scale:
            return None
        number, last_scale = number + part, SCALES[name]
    return number


def _scaled(value: int, after_digit: bool) -> str | None:
    """The number, in myriads if it is as large.

    After the 三 of 三至五百万, the number has its whole scale (5 百万), which the 三 shares.
    """
    if after_digit:
        for name, scale in SCALES.items():
            if value % scale == 0 and 0 < value // scale < 10:
                return f"{value // scale} {name}"
    name = next((name for name in _MYRIADS if value >= SCALES[name]), "")
    number = Decimal(value) / SCALES.get(name, 1)
    return None if after_digit and number >= 20 else f"{number:f} {name}"


def _fraction(whole: str, found: re.Match[str]) -> str | None:
    part = _in_digits(found)
    if part is None or whole in {"百", "千"}:
        return part and f" {part} {'%' if whole == '百' else '‰'} "
    parts = int(whole) if whole.isdecimal() else _value(whole)
    return f" {part.strip()}/{parts} " if parts else None
