"""Rewrite a figure that a Chinese text states in the English words that ``stated_figures`` reads.

Both scripts are read. What is not known stays as it is: before the number it is refused, after the
number and its unit it is taken for the name of what is counted.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from hksz_db.domain.chinese_numbers import (
    BEFORE_NUMBER,
    DIGITS,
    HAN_NUMBER,
    NUMBER,
    PARTS_OF,
    RANK,
    REST,
    SCALES,
    UNDER,
    WIDE_REST,
    fraction,
    in_digits,
    pair,
    value,
    without_formal_numerals,
)

HAN = re.compile(r"[\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")

# Pairs of the traditional and the simplified form of the characters in the tables below. 噸 is
# left out, because it is not always the metric 吨.
_PAIRS = (
    "〇零萬万億亿兩两餘余點点過过約约於于將将達达僅仅為为總总計计預预數数絕绝幾几間间個个項项戶户條条輛辆隻只張张處处筆笔種种"
    "層层單单頃顷鐘钟時时歐欧鎊镑圓圆門门臺台韓韩幣币長长漲涨減减縮缩負负環环較较場场從从內内週周號号線线屆届級级畝亩歲岁佔占"
    "飆飙頂顶紀纪訪访學学師师業业網网選选眾众僱雇後后強强顆颗錄录資资價价質质實实際际淨净調调擴扩狹狭驟骤銳锐勁劲覆复棟栋對对冊册樓楼員员裡里賽赛錢钱來来沒没剛刚碼码頭头類类滿满雙双裏里羅罗"
    "國国亞亚額额頁页島岛龍龙義义夥伙複复開开虧亏離离標标蝕蚀緩缓勢势臺台發发損损貧贫稅税災灾壓压電电積积築筑侖仑攝摄華华撥拨設设獲获創创納纳聘聘財财"
)
_SIMPLIFIED = str.maketrans(dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True)))

_JOINING_NAMES = {"至": "to", "到": "to", "或": "or"}
_AT_END = re.compile(rf"(?!{HAN.pattern})|或?以[上下内]|左右|上下|不到|有余|之[间内]|的")
# Nouns of what is counted, before which a number may stand without a measure word, and a share
# with 多 or with a second digit.
_NOUNS = re.compile(
    "(?:受访|被访|市民|居民|学生|家长|教师|企业|公司|商户|民众|网民|选民|员工|雇员|青年|港人|人口|家庭)"
)
_SHARE = re.compile(
    r"(?P<whole>[一二两三四五六七八九1-9])成(?P<tenth>[一二三四五六七八九1-9])(?![0-9.,])"
    "|(?P<parts>[二三四五六七八九])分(?P<part>[一二两三四五六七八])|半成|(?P<half>半)"
)
_PERCENT = re.compile("[至到](?:[0-9.]+ ?%|百分之)")
_YEAR = re.compile("[12][0-9]{3}")
# 七八年 and 97年 are also 1978 and 1997.
_SHORT_YEAR = re.compile("(?:0[0-9]|[7-9][1-9]|[五六七八][六七八九])$")
_NAME = re.compile("[a-z]+-[0-9]+")
_RANK = re.compile(
    "(?:排名|排行|名列|位列|位居|高居|位于|排|列|居|全球|世界|全国|全港|全省|全市|亚洲|亚太|国内|中国|香港|内地)*"
    rf"(?:第(?P<rank>[0-9]+|{HAN_NUMBER})[位名]?|首位|榜首)"
)
_NO_SPACE = re.compile(
    rf"(?<={HAN.pattern}) (?=[0-9(]|{HAN.pattern})|(?<=[0-9%$]) (?={HAN.pattern})"
)
_BESIDE_HAN = re.compile(rf"(?<=[0-9a-z%‰])(?={HAN.pattern})|(?<={HAN.pattern})(?=[0-9a-z])")

_LEADING = {
    "about": "约 大约 大概 约为 大约为 约有 约达 约莫 差不多",
    "an estimated": "估计 预计 预料 预期 估算 料",
    "over": "逾 超 超过 超出 多于 高于 大于 突破 已超过 已逾 超逾 过 破 不止 不只",
    "no fewer than": "至少 最少 不少于 不低于 起码 不下于 不下 至少有 最少有",
    "nearly": (
        "近 接近 将近 逼近 不足 不到 未达 未到 未及 未满 未足 少于 低于 小于 不满 几乎 几近 几达"
    ),
    "up to": "最多 至多 顶多 不多于 不超过 不逾 不高于 高达 多达 最高",
    "exactly": "刚好 正好 恰好 恰 整整 刚好有 正好有 恰好有 恰有 恰为 恰是",
    "a total of": (
        "共 合共 总共 共有 共计 合计 总计 一共 总数为 累计 新增 总值 总额 涉款 涉资 耗资 斥资"
        " 投资 投资额 总投资 总投资额 造价 总造价 拨款 预算 金额 人口 总人口 涉及 涵盖 设有"
        " 收到 接获 批出 获批 吸引 创造 提供 容纳 聘用 雇用"
    ),
    "only": "仅 只 只有 仅有 仅为",
    "is": "为 是 有 达 达到 已达 达至 占 录得",
    "an area of": "占地 面积 总面积 占地面积 楼面面积 总楼面面积 建筑面积 总建筑面积",
    "a length of": "全长 总长 总长度",
    "minus": "负",
    "between": "介乎 介于",
    "from": "从 由",
    "": "同比 环比 按年 按月 按季 按年计 较去年同期 比去年同期 较上年 比上年",
}
_RISES = (
    "增长 增加 上升 上涨 增 升 涨 攀升 飙升 急升 回升 多了 提高 提升 调高 调升 上调 扩大 激增"
    " 大增 急增 大升 劲升 净增 净增加 净增长"
)
_FALLS = (
    "减少 下跌 下降 减 跌 降 下滑 缩减 萎缩 回落 收缩 急跌 少了 降低 调低 调减 下调 缩小 大减"
    " 大跌 锐减 骤降 净减 净减少"
)
# A rate of one year (年均) is stated as one year on year (同比) is.
_RISE_RATES = (
    "增长率 增速 增幅 升幅 涨幅 实际增长 实质增长 名义增长 年均增长 年均复合增长 年均复合增长率"
    " 年复合增长率 复合年增长率"
)
_FALL_RATES = "跌幅 降幅 减幅 负增长"
_GROWTH = {"增长", *_RISE_RATES.split(), *_FALL_RATES.split()}
_DOUBLED = {
    f"{compared}doubled": " ".join(
        f"{verb}{of_past}{comparator}一倍"
        for verb in ["增加", "增长", "上升", "增", "升"]
        for of_past in ("", "了")
        for comparator in comparators
    )
    for compared, comparators in (
        ("", ("",)),
        ("more than ", ("逾", "超", "超过", "多于")),
        ("nearly ", ("近", "接近", "将近")),
        ("about ", ("约",)),
    )
}
_MULTIPLES = {
    "doubled": "翻一番 翻了一番 翻倍 倍增",
    "quadrupled": "翻两番 翻了两番",
    "halved": "减半 减少一半 下降一半 下跌一半",
}
_SHARES = {
    "half": "一半 半数",
    "nearly half": "近半 近半数 将近一半",
    "over half": "过半 过半数 逾半 逾半数 超过半数 超过一半",
    "most": "大多数 大部分 大部份 多数 大半 多半",
    "nearly 0.5 成": "近半成 将近半成 接近半成",
    "over 0.5 成": "逾半成 过半成 超过半成",
    "the vast majority": "绝大多数 绝大部分 绝大部份",
    "nearly all": "几乎全部 几乎所有",
    "a minority": "少数",
    "all": "全部",
    "100 per cent": "百分之百 百分百",
    "half year": "半年",
    "half month": "半个月",
    "half hour": "半小时 半个小时",
}
_CURRENCIES = {
    "hkd": "港元 港币 港圆 蚊",
    "rmb": "人民币",
    "usd": "美元 美金",
    "eur": "欧元 欧罗",
    "gbp": "英镑",
    "jpy": "日元 日圆 円",
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
    "square metres": "平方米 平方公尺 平米",
    "square feet": "平方呎 平方英尺 方呎",
    "hectares": "公顷",
    "acres": "英亩",
    "kilometres": "公里 千米",
    "metres": "米 公尺",
    "centimetres": "厘米",
    "millimetres": "毫米",
    "miles": "英里 哩",
    "nautical miles": "海里 浬",
    "feet": "呎 英尺",
    "square miles": "平方英里",
    "sq cm": "平方厘米",
    "cubic metres": "立方米 立方公尺",
    "cubic kilometres": "立方公里",
    "cubic feet": "立方呎 立方英尺",
    "litres": "公升",
    "tonnes": "公吨 吨 公噸",
    "tons": "噸",
    "kilograms": "公斤 千克",
    "grams": "克",
    "watts": "瓦 瓦特",
    "kilowatts": "千瓦",
    "megawatts": "兆瓦",
    "gigawatts": "吉瓦",
    "kilowatt hours": "千瓦时 千瓦小时 度电",
    "megawatt hours": "兆瓦时",
    "gigawatt hours": "吉瓦时",
    "gallons": "加仑",
    "ounces": "盎司",
    "degrees celsius": "摄氏度 华氏度",
    "chinese measures": "市斤 市尺 市亩 平尺 平方尺 公两 立方尺",
    "centuries": "个世纪",
    "years": "年 岁 周岁",
    "months": "个月",
    "weeks": "周 星期 个星期",
    "days": "天",
    "hours": "小时 个小时 钟头 个钟头",
    "and a half hours": "个半小时 个半钟头",
    "and a half months": "个半月",
    "minutes": "分钟",
    "seconds": "秒 秒钟",
    f"months {REST}": "个多月",
    f"hours {REST}": "个多小时 个多钟头",
    "成": "成",
    "元": "元 圆 元整 圆整 元正 圆正 块钱",
}
_MEASURE_WORDS = (
    "宗 个 家 人 名 间 项 份 件 套 所 座 栋 幢 位 户 条 辆 艘 架 只 张 台 部 起 例 批 场 株 棵 处"
    " 笔 种 类 层 单 股 本 册 篇 封 枚 人次 家次 个人 伙 席 票 匹 头 颗 粒 盒"
    " 箱 瓶 页 字 班 班次 车次 架次 辆次 艘次 次"
)
# Words for an unknown rest, parts of a currency, measures that differ between places, dates,
# ordinals and multiples.
_REFUSED_UNITS = (
    "来 几 数 点 角 毫 仙 分 兆 倍 月 日 号 里 亩 斤 尺 寸 楼 届 级 期 代 线 钱 磅 对 双 打"
    " 强 大 后 星"
)
# They begin with a unit or a measure word, and are names of what is counted.
_NAMES = "成员 成年 成人 成立 成功 成果 成分 米其林 人民 人口 人士 分店 分行 分公司 线上 次元"
# What they count is no amount, or not certain.
_NO_COUNTS = {"年代", "年级", "学年", "年度", "财年", "周年", "世纪", "平方"}
_TRAILING = {
    "or more": "以上 或以上 及以上 或更多 起",
    "or less": "以下 或以下 及以下 以内 之内 或更少",
    "or so": "左右 上下",
    "in total": "之间 长 高 宽 深",
    UNDER: "不到",
    WIDE_REST: "有余",
}
# In the middle of a name they are something else.
_LAST = {"起", "上下", "不到", "长", "高", "宽", "深"}
_RISE_NOUNS = "增长 增幅 升幅 涨幅 增速 的增长 的增幅 的升幅 的涨幅 的增速"
_FALL_NOUNS = (
    "跌幅 降幅 减幅 跌势 降势 负增长 衰退 倒退 减少 下跌 下降 下滑 缩减 萎缩 回落 收缩 急跌 降低"
    " 调低 调减 下调 缩小 大减 大跌 锐减 骤降 净减 净减少"
)
# In what follows the number, they make a fall, a part, a bound or a loss of it.
_DOUBTFUL = re.compile(
    "^的?(?:跌(?![倒伤])|降(?!落)|[缩萎衰]|亏(?!损(?:企业|公司|商户))|减(?![排肥碳税贫灾刑压])|少了)"
    "|下[跌降滑挫调]|[跌降减]幅|跌势|降势|减少|缩减|萎缩|收缩|衰退|倒退|回落|降低|收窄|放缓"
    "|(?:[跌降减挫缩亏]|缩水|蒸发|滑落|减低|缩短|缩窄|减弱|放慢)$"
    "|[一过逾大近]半(?!岛)|半数|多数|[的中]部[分份]"
    "|^(?:好几|出头|开外|有多|往上|往下|打后)"
    "|[上下]限|封顶|为限|限额|为目标|(?:估计|预计|最多|至多|顶多|至少|最少|起码)$"
    "|流失|流出|离开|(?:赤字|亏损|亏蚀)额?$"
)
# What fell to a half or to 三成 has that level, or that share of its former one.
_FALLEN_TO_SHARE = re.compile(
    rf"(?:{'|'.join(_FALLS.split())})[至到].{{0,8}}?"
    "(?:(?<!个)半(?![小个年天月])|(?<!百)分之|分[一二三四]|成(?![员年人立功果分]))"
)
# A range whose first number may share the myriads of the second.
_SHARING = re.compile(
    r"(?<![0-9.,零一二三四五六七八九两兩十百千万萬亿億点])"
    r"(?P<first>[0-9][0-9,]*(?:\.[0-9]+)?|[一二三四五六七八九两兩])(?P<scale>[百千]?)"
    r" ?[至到~-] ?[a-z$]*(?P<second>[0-9][0-9,]*(?:\.[0-9]+)?|[一二三四五六七八九两兩])"
    r"(?P<upper>[百千]?)(?P<myriads>[万萬亿億])"
)
# Neighbours, which are a range: 七、八成 and 20、30人.
_NEIGHBOURS = re.compile(
    r"(?<![0-9.,十百千万萬亿億点])([一二两兩三四五六七八九]|[0-9]0?)、([二两兩三四五六七八九]|[0-9]0?)(?![0-9])"
)
# 三份一 is 三分一, and 百分三十 百分之三十.
_PARTS = re.compile(
    "(?<=[二三四五六七八九十])份(?=之[一二三四五六七八九]|[一二三四五六七八](?![十百千万萬亿億]))"
)
_PER_CENT = re.compile("(?<![0-9一二三四五六七八九两兩])百分(?=[0-9一二三四五六七八九十])")
# They make a rate or a difference of the number, or deny it, unless they are part of these names.
_DIFFERENCES = "每 人均 比 较 倍 第 除 扣 不 未 没"
_HARMLESS = "比赛 比率 比例"


def _by_name(*tables: Mapping[str, str]) -> dict[str, str]:
    listed = (pair for table in tables for pair in table.items())
    return {name: word for word, names in listed for name in names.split()}


def _with_endings(words: str, *endings: str) -> dict[str, str]:
    return {
        words.format(change): " ".join(f"{verb}{end}" for verb in verbs.split() for end in endings)
        for change, verbs in (("rose", _RISES), ("fell", _FALLS))
    }


def _in_brackets(name: str) -> Iterator[str]:
    """Forms of 元(人民币,下同), with and without a unit before the brackets."""
    for unit in ("元", ""):
        for same in ("", ",下同"):
            yield f"{unit}({name}{same})"


_BEFORE = _by_name(
    _LEADING,
    _with_endings("{} to", "至", "到"),
    _with_endings("{} by", "", "了"),
    {"rose by": _RISE_RATES, "fell by": _FALL_RATES},
    _MULTIPLES,
    _DOUBLED,
    _SHARES,
    _CURRENCIES,
) | {f"{verb}为": f"{verb}为" for verb in (_RISES + " " + _FALLS).split()}
# 減少為3萬 states the level that was reached, or a fall, and 跌破3萬 a level that was crossed.
_BEFORE |= {f"{verb}破": f"{verb}破" for verb in (_RISES + " " + _FALLS).split()}
_CURRENCY_NAMES = _by_name(_CURRENCIES)
_COMPLETE = _by_name(_MULTIPLES, _DOUBLED, _SHARES).keys() - {"全部"}
_COMPARING = {"about", "an estimated", "over", "no fewer than", "nearly", "up to"}
# 近三年 is the last three years, or nearly three, and 過三年 three years later, or more than three.
_BEFORE_TIMES = {"近", "过"}
_TIMES = {"years", "months", "weeks", "days", "hours", "minutes", "seconds"}
_AFTER = _by_name(
    _UNITS,
    _CURRENCIES,
    {
        word: " ".join(
            form for name in names.split() for form in (f"元{name}", *_in_brackets(name))
        )
        for word, names in _CURRENCIES.items()
    },
    {"": _MEASURE_WORDS},
) | {name: name for listed in (_REFUSED_UNITS, _NAMES) for name in listed.split()}
_AFTER |= {name: name for name in _NO_COUNTS}
_NO_UNITS = {"", *_NAMES.split()}
_OF_FALL = " ".join(f"{of}{noun}" for of in ("", "的") for noun in _FALL_NOUNS.split())
_REST = _by_name(_TRAILING, {"increase": _RISE_NOUNS, "decrease": _OF_FALL}) | {
    name: name for listed in (_DIFFERENCES, _HARMLESS) for name in listed.split()
}
NAMES = frozenset(_BEFORE | _AFTER | _REST)
"""All words that are known, in simplified characters."""
_LENGTHS: dict[str, int] = {}
for _name in NAMES:
    _LENGTHS[_name[0]] = max(len(_name), _LENGTHS.get(_name[0], 0))


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
    text = _NO_SPACE.sub("", text)
    ranked = _RANK.fullmatch(text.translate(_SIMPLIFIED))
    if ranked:
        rank = ranked["rank"] or "1"
        number = rank if rank.isdecimal() else value(rank)
        return f"{RANK} {number}" if number else text
    text = _PER_CENT.sub("百分之", _PARTS.sub("分", _NEIGHBOURS.sub(_joined, text)))
    text = _SHARING.sub(_with_shared_scale, text)
    return _BESIDE_HAN.sub(" ", _Rewriting(text).rewritten())


def _joined(found: re.Match[str]) -> str:
    """The 七八 of 七、八, and the 20至30 of 20、30."""
    first, second = (
        DIGITS[sign.translate(_SIMPLIFIED)] if not sign.isdecimal() else int(sign)
        for sign in found.groups()
    )
    is_next = second - first == (10 if first >= 10 else 1)
    separator = "至" if found[1].isdecimal() else ""
    return f"{found[1]}{separator}{found[2]}" if is_next else found[0]


def _with_shared_scale(found: re.Match[str]) -> str:
    """The 3千萬至5千萬 of 3千至5千萬; 9至1萬 and 3千至5百萬 are refused."""
    first, second = (
        Decimal(DIGITS.get(sign.translate(_SIMPLIFIED)) or sign.replace(",", ""))
        for sign in found.group("first", "second")
    )
    if found["scale"]:
        first, second = first * SCALES[found["scale"]], second * SCALES.get(found["upper"], 1)
    if first >= second and (found["upper"] or first < 10):
        raise ValueError(f"{found[0]!r} may be read in two ways.")
    is_shared = found["scale"] and first < second
    end = found.end("scale") - found.start()
    return found[0][:end] + (found["myriads"] if is_shared else "") + found[0][end:]


class _Rewriting:
    def __init__(self, text: str) -> None:
        self._original = text
        self._text = without_formal_numerals(text.translate(_SIMPLIFIED))
        self._at = 0
        self._written: list[str] = []
        self._table = _BEFORE
        self._is_digit = False
        self._counted: set[str] = set()
        self._before = ""
        self._rest = ""

    def rewritten(self) -> str:
        if _FALLEN_TO_SHARE.search(self._text):
            raise ValueError(f"{self._original!r} may be read in two ways.")
        steps = (self._name, self._share, self._number, self._joining, self._phrase)
        while self._at < len(self._text):
            if not any(read() for read in steps):
                self._copy(1)
        if _DOUBTFUL.search(self._rest):
            raise ValueError(f"What follows the number in {self._original!r} is not understood.")
        return "".join(self._written)

    def _copy(self, length: int) -> None:
        end = self._at + length
        self._written.append(self._original[self._at : end])
        if self._table is _AFTER and not self._written[-1].isspace():
            self._table = _REST
        if self._table is _REST:
            self._rest += self._text[self._at : end].strip()
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

    def _share(self) -> bool:
        """Rewrite 三成五, 半成 and 三分一, and the 半 of 约半."""
        found = self._table is not _AFTER and _SHARE.match(self._text, self._at)
        if not found or not self._is_followed(found.end(), or_noun=True):
            return False
        if found["half"]:
            if _BEFORE.get(self._before) not in _COMPARING:
                return False
            words = "half"
        elif found["parts"]:
            part, parts = DIGITS[found["part"]], DIGITS[found["parts"]]
            if part >= parts:
                return False
            words = f"{part}/{parts}"
        elif found["whole"]:
            whole, tenth = (DIGITS.get(sign, sign) for sign in found.group("whole", "tenth"))
            words = f"{whole}.{tenth} 成"
        else:
            words = "0.5 成"
        self._write(f" {words} ", found.end())
        self._is_digit, self._table = False, _REST
        return True

    def _number(self) -> bool:
        parts = PARTS_OF.match(self._text, self._at)
        found = NUMBER.match(self._text, parts.end() if parts else self._at)
        if found is None:
            return False
        is_after_number = self._table is _AFTER and found["han"] is not None
        if not (parts or is_after_number or self._is_certain(found)):
            return False
        words = fraction(parts["whole"], found) if parts else self._digits_of(found)
        followed = self._text[found.end() : found.end() + 1]
        is_year = followed == "年" and (_YEAR.fullmatch(found[0]) or _SHORT_YEAR.match(found[0]))
        if words is None or is_after_number or is_year:
            number = self._original[self._at : found.end()] + ("年" if is_year else "")
            raise ValueError(f"{number!r} is no number that is understood.")
        self._write(words, found.end())
        self._is_digit = not parts and found[0] in DIGITS
        self._table = _AFTER
        return True

    def _digits_of(self, found: re.Match[str]) -> str | None:
        end = found.end()
        number = in_digits(
            found, after_digit=self._is_digit, is_last=self._is_followed(end, or_noun=False)
        )
        if number is None and found[0] == found["han"] and not self._is_digit:
            name = self._longest(_AFTER, end)
            is_year = name == "年" and _SHORT_YEAR.fullmatch(found["han"])
            is_counted = name not in _NO_UNITS and not is_year
            return pair(found["han"], is_counted=is_counted)
        return number

    def _is_certain(self, found: re.Match[str]) -> bool:
        """Whether it is a number, and not part of a word such as 一般."""
        end = found.end()
        if found["bare"]:
            is_compared = _BEFORE.get(self._before) in _COMPARING or found["reach"] or found["over"]
            if self._table is _AFTER or not is_compared:
                return False
        elif not found["han"] or found["over"] or (value(found["han"]) or 100) >= 100:
            return True
        if self._is_followed(end, or_noun=True):
            return True
        return self._longest(_AFTER, end) not in _NO_UNITS

    def _is_followed(self, end: int, *, or_noun: bool) -> bool:
        """Whether a number that ends there is followed by no unit: by nothing, 以上 or 至."""
        is_last = self._text[end : end + 1] in _JOINING_NAMES or _AT_END.match(self._text, end)
        return bool(is_last or (or_noun and _NOUNS.match(self._text, end)))

    def _longest(self, table: Mapping[str, str], at: int) -> str:
        longest = _LENGTHS.get(self._text[at : at + 1], 0)
        pieces = (self._text[at : at + length] for length in range(longest, 0, -1))
        return next((piece for piece in pieces if piece in table), "")

    def _joining(self) -> bool:
        name = self._text[self._at]
        if self._table is _BEFORE or name not in _JOINING_NAMES:
            return False
        if not BEFORE_NUMBER.match(self._text, self._at + 1):
            return False
        is_digit = self._is_digit and self._table is _AFTER
        # 增长3%至5% is a range, but 上升0.2%至3% may state the level that was reached.
        is_range = self._before in _GROWTH and _PERCENT.match(self._text, self._at)
        self._write(f" {'~' if is_range else _JOINING_NAMES[name]} ", self._at + 1)
        self._table, self._is_digit, self._before = _BEFORE, is_digit, ""
        return True

    def _phrase(self) -> bool:
        table = self._table
        name = self._longest(table, self._at)
        if not name and table is _AFTER:
            table, name = _REST, self._longest(_REST, self._at)
        if not name:
            return False
        end = self._at + len(name)
        if table is _REST and name in _LAST and end < len(self._text):
            # 起訴, 上下鋪, 不到場
            name, end = name[0], self._at + 1
            if name in _LAST or name not in _REST:
                return False
        words = table[name]
        if table is _BEFORE:
            self._before = name
            self._check_half(name, end)
        elif table is _AFTER:
            self._check_counted(name, words)
            self._table = _REST
            if self._text[end : end + 1] in {"半", "多", "余"}:
                words, end = self._with_more(words, end)
        else:
            self._check_fall(name, words, end)
        if name in _COMPLETE:
            self._table = _REST
        if words == name:
            words = self._original[self._at : end]
        self._write(f" {words} ", end)
        return True

    def _check_fall(self, name: str, words: str, end: int) -> None:
        """Refuse the noun of a fall that is not all that follows the number and its unit."""
        if words == "decrease" and (self._rest or HAN.search(self._text, end)):
            raise ValueError(f"{self._original!r} does not say what fell by how much.")
        if words == name:
            self._rest += name

    def _check_half(self, name: str, end: int) -> None:
        """Refuse the 近半 of 近半年, which is no half."""
        is_before_unit = self._longest(_AFTER, end) not in _NO_UNITS
        if is_before_unit and name in _COMPLETE and name[-1] == "半":
            raise ValueError(f"{self._original[self._at :]!r} is not understood.")

    def _check_counted(self, name: str, words: str) -> None:
        end = self._at + len(name)
        counted, following = self._original[self._at : end], self._text[end : end + 1]
        self._counted.add("" if words else name)
        if name in _NO_UNITS:
            self._rest += name
        if len(self._counted) > 1:
            raise ValueError(f"{counted!r} does not count what the number before it counts.")
        if name == "成" and following in DIGITS:
            # 三成九龙居民 are 30 per cent, and 三成九居民 39.
            raise ValueError(f"{self._original!r} may be read in two ways.")
        is_time = words.partition(" ")[0] in _TIMES and name not in {"岁", "周岁"}
        is_date = self._before in _BEFORE_TIMES or following in {*"前后内来间"}
        if name in _NO_COUNTS or (is_time and is_date):
            raise ValueError(f"{counted!r} in {self._original!r} states no certain amount.")

    def _with_more(self, unit: str, end: int) -> tuple[str, int]:
        """The unit of 两年半 and 五年多, and where they end."""
        more = self._text[end]
        is_followed = self._is_followed(end + 1, or_noun=unit in {"成", "%"})
        if not is_followed or (more != "半" and not unit):
            # 3个半岛 and 3个半月, 5年多元 and 5年多时间, 3个多
            raise ValueError(f"{more!r} within {self._original[self._at :]!r} is not understood.")
        return (f"and a half {unit}" if more == "半" else f"{unit} {REST}"), end + 1
