"""What the walk and its sheet say to people: Chinese first, English with it. All of their words are here."""

from contract.points import PointType
from edge.technician.commissioning import Remark, RemarkCode, Result, Stage, Trial

Words = tuple[str, str]
"""Chinese, English."""

TITLE: Words = ("验收单", "Acceptance sheet")
NAME: Words = ("技术员姓名", "Name of the technician")
KEYS: Words = ("s 跳过 · a 重来 · n 备注 · q 结束", "s skip · a again · n note · q end")
PULSE_KEY: Words = ("o 发一次开锁脉冲", "o one opening pulse")
NOTE: Words = ("备注(回车结束)", "Note (Enter ends it)")
SEEN: Words = ("看到了", "seen")
NOTHING_READ: Words = ("还没有读数", "no reading yet")
SIMULATED: Words = ("模拟设备,不作验收", "Simulated devices: this accepts nothing")
NOT_WALKED: Words = ("不在本单之内", "Not part of this sheet")
VERIFY: Words = (
    "用 casewatch edge commission verify 核对同名 JSON 文件的签名",
    "casewatch edge commission verify checks the signature of the JSON file of this name",
)

HEADINGS: dict[str, Words] = {
    "point": ("点位", "Point"),
    "type": ("类型", "Type"),
    "device": ("设备", "Device"),
    "channel": ("通道", "Channel"),
    "result": ("结果", "Result"),
    "away": ("动作延时上限 ms", "Seen within, ms"),
    "back": ("复位延时上限 ms", "Back within, ms"),
    "at": ("时间", "Time"),
    "remarks": ("说明", "Remarks"),
    "edge": ("站点", "Edge"),
    "by": ("技术员", "Technician"),
    "span": ("起止", "From, to"),
    "counts": ("合计", "Total"),
    "settings": ("配置摘要", "Digest of the settings"),
    "key": ("签名公钥", "Public key"),
    "signature": ("签名", "Signature"),
    "version": ("软件版本", "Version"),
}

TYPES: dict[PointType, Words] = {
    PointType.DOOR: ("门", "door"),
    PointType.LOCK: ("柜锁", "lock"),
    PointType.ITEM: ("物品", "item"),
    PointType.TAMPER: ("防拆", "tamper contact"),
    PointType.READER: ("读卡器", "reader"),
}

RESULTS: dict[Result, Words] = {
    Result.PASSED: ("通过", "passed"),
    Result.FAILED: ("失败", "failed"),
    Result.SKIPPED: ("跳过", "skipped"),
    Result.UNTRIED: ("未试", "not tried"),
}

_REMARKS: dict[RemarkCode, Words] = {
    RemarkCode.NEVER_MOVED: ("没有看到动作", "was never seen to move"),
    RemarkCode.CROSSED: ("期间 {0} 动了:接线是否对调?", "{0} moved meanwhile: crossed wires?"),
    RemarkCode.COUNTER_STILL: (
        "模块计数器不动:请启动计数,否则短时开门会漏",
        "the module's counter stands still: start it, or short openings are missed",
    ),
    RemarkCode.COUNTED: (
        "模块计了 {0} 次:触点抖动,或开了不止一次",
        "the module counted {0}: bounce, or opened more than once",
    ),
    RemarkCode.PULSE_LOST: ("脉冲后 {0} 秒内没有打开", "did not open within {0} s of the pulse"),
}

_AWAY: dict[PointType, Words] = {
    PointType.DOOR: ("请打开门", "open the door now"),
    PointType.LOCK: ("请打开柜格", "open the slot now"),
    PointType.ITEM: ("请取出物品", "take the item out now"),
    PointType.TAMPER: ("请触动防拆触点", "trip the tamper contact now"),
    PointType.READER: ("请刷卡", "hold a card to the reader now"),
}

_REST: dict[PointType, Words] = {
    PointType.DOOR: ("请关上门", "close the door"),
    PointType.LOCK: ("请关上柜格", "close the slot"),
    PointType.ITEM: ("请放回物品", "put the item back"),
    PointType.TAMPER: ("请让防拆触点复位", "let the tamper contact go"),
    PointType.READER: ("等待读卡器配对", "the reader is not paired yet"),
}

_FAILED: Words = ("没有动作:a 重来,s 记为失败", "it did not move: a again, s leaves it failed")


def both(words: Words) -> str:
    """One line of both languages."""
    return f"{words[0]} {words[1]}"


def ask(stage: Stage, kind: PointType) -> Words:
    """What a person is to do now."""
    if stage is Stage.WAITING:
        return NOTHING_READ
    if stage is Stage.FAILED:
        return _FAILED
    return _AWAY[kind] if stage is Stage.AWAY else _REST[kind]


def remark(said: Remark) -> Words:
    zh, en = _REMARKS[said.code]
    return zh.format(said.detail), en.format(said.detail)


def remarks(trial: Trial) -> list[Words]:
    """All that is to be said of a trial: remarks, the board's word on the pulse, the person's note."""
    said = [remark(entry) for entry in trial.remarks]
    if trial.pulse:
        said.append((f"锁板应答 {trial.pulse}", f"the board said {trial.pulse}"))
    if trial.note:
        said.append((f"备注:{trial.note}", ""))
    return said
