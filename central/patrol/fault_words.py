"""What each fault and each of its details is called, in Chinese and English, and a fault told in both. Pure.

The board says it in the same words, `central/board/src/locales/`: a test holds all equal.
"""

from datetime import datetime, tzinfo

from central.board_model import Fault, FaultKind

INSTANTS_MS = range(10**12, 10**14)
"""Numbers of a detail that are taken for an instant: the years 2001 to 5138."""
Words = tuple[str, str]
"""Chinese, English."""

WORDS: dict[FaultKind, Words] = {
    "station_lost": ("站点失联", "Station lost"),
    "service_stopped": ("站点服务停止", "Station service stopped"),
    "point_silent": ("测点无响应", "Point silent"),
    "point_disabled": ("测点停用", "Point disabled"),
    "picture": ("画面异常", "Picture fault"),
    "clock_stepped": ("站点时钟不可信", "Station clock not to be trusted"),
    "log_withheld": ("日志扣留未报", "Log held back"),
    "two_machines": ("同一身份两台机器", "Two machines, one identity"),
    "edge_rolled_back": ("站点回退到旧状态", "Station went back in time"),
    "store_rolled_back": ("中心库回退到旧状态", "Store went back in time"),
    "forked": ("日志分叉", "Forked journal"),
    "epoch_unknown": ("日志代次未登记", "Unknown journal epoch"),
    "bad_signature": ("签名不符", "Signature does not fit"),
    "key_revoked": ("密钥已吊销", "Key revoked"),
    "old_version": ("协议版本不符", "Other protocol version"),
    "rows_gone": ("日志缺失", "Journal rows gone"),
    "journal_touched": ("日志被他人改动", "Journal touched by others"),
    "settings_changed": ("站点配置被改动", "Station settings changed"),
    "insecure": ("无密钥运行", "Running without keys"),
    "maintenance": ("检修中", "In maintenance"),
    "simulated": ("模拟运行", "Simulated"),
    "disk_low": ("站点磁盘将满", "Station disk nearly full"),
    "certificate_expires": ("证书将到期", "Certificate ends soon"),
}

DETAILS: dict[tuple[FaultKind, str], Words] = {
    ("station_lost", "silent"): ("15 秒没有心跳", "no beat for 15 s"),
    ("station_lost", "connection"): ("连接中断", "connection lost"),
    ("service_stopped", "stop"): ("站点自行停止", "said goodbye"),
    ("point_silent", "stale"): ("陈旧", "stale"),
    ("point_silent", "comm_fail"): ("通信失败", "no communication"),
    ("point_silent", "device_error"): ("设备错误", "device error"),
    ("point_silent", "line_open"): ("断线", "line open"),
    ("point_silent", "line_short"): ("短路", "line short"),
    ("point_silent", "tamper"): ("防拆", "tamper"),
    ("point_disabled", "disabled"): ("在站点被停用", "switched off at the station"),
    ("point_disabled", "untold"): ("站点不再上报", "no longer reported"),
    ("picture", "covered"): ("画面遮挡", "Camera covered"),
    ("picture", "dark"): ("画面过暗", "Picture dark"),
    ("picture", "lost"): ("画面中断", "Picture lost"),
    ("picture", "reported"): ("值守员报告", "told by a watcher"),
    ("clock_stepped", "stepped"): ("时钟被拨动", "was set"),
    ("clock_stepped", "stepped_by"): ("时钟被拨动 {value} 秒", "was set by {value} s"),
    ("clock_stepped", "ahead"): ("快 {span}", "{span} ahead"),
    ("clock_stepped", "behind"): ("慢 {span}", "{span} behind"),
    ("log_withheld", "from"): ("自第 {value} 条起", "from row {value} on"),
    ("log_withheld", "full"): (
        "先行事件已满 {value} 条，其后的开门暂不显示",
        "{value} rows wait for it; doors that open now are not shown",
    ),
    ("two_machines", "session"): ("第 {value} 次启动", "start {value}"),
    ("edge_rolled_back", "row"): ("站点 / 中心：{value} 条", "station / centre: row {value}"),
    ("store_rolled_back", "receipted"): ("曾确认到第 {value} 条", "had receipted row {value}"),
    ("forked", "epoch"): ("代次 {value}", "epoch {value}"),
    ("epoch_unknown", "epoch"): ("代次 {value}", "epoch {value}"),
    ("bad_signature", "bad_signature"): ("不是该站点的密钥", "not a key of this station"),
    ("bad_signature", "unsigned"): ("没有签名", "no signature"),
    ("bad_signature", "not_enrolled"): ("站点未登记", "never enrolled"),
    ("bad_signature", "receipt"): ("伪造的回执", "a forged receipt"),
    ("key_revoked", "revoked"): ("仍在使用旧密钥", "an old key still speaks"),
    ("old_version", "version"): ("版本 {value}", "version {value}"),
    ("rows_gone", "rows"): ("第 {value} 条", "rows {value}"),
    ("journal_touched", "row"): ("第 {value} 条", "row {value}"),
    ("settings_changed", "config"): ("新配置 {value}", "now {value}"),
    ("insecure", "mode"): ("不加密、不签名", "not encrypted, not signed"),
    ("maintenance", "until"): ("至 {time} · {who}", "until {time} · {who}"),
    ("maintenance", "unpermitted"): ("未经中心许可", "not permitted by the centre"),
    ("simulated", "mode"): ("整站模拟", "the whole station"),
    ("simulated", "rows"): ("有模拟数据", "simulated rows"),
    ("disk_low", "free"): ("剩余 {value} MB", "{value} MB left"),
    ("certificate_expires", "month"): ("30 天内到期：{day}", "within 30 days: {day}"),
    ("certificate_expires", "week"): ("7 天内到期：{day}", "within 7 days: {day}"),
    ("certificate_expires", "day"): ("1 天内到期：{day} {time}", "within a day: {day} {time}"),
    ("certificate_expires", "over"): ("已于 {day} 到期", "ended on {day}"),
}
"""By kind and by the word that a detail begins with. `value`: what follows it; of an instant (wall ms) its
`day`, its `time` and `who` is named after it; of seconds the `span`.
"""


def tell(fault: Fault, zone: tzinfo | None = None) -> str:
    """The fault in words, Chinese | English. `zone` None: this machine's."""
    word, _, value = fault.detail.partition(" ")
    details = DETAILS.get((fault.kind, word), (fault.detail, fault.detail))
    filled = [text.format_map(_parts(value, zone)) for text in details]
    return " | ".join(f"{name}: {told}" for name, told in zip(WORDS[fault.kind], filled, strict=True))


def _parts(value: str, zone: tzinfo | None) -> dict[str, str]:
    number, _, who = value.partition(" ")
    if not number.lstrip("-").isdecimal():
        return {"value": value}
    parts = {"value": value, "who": who, "span": _span(abs(int(number)))}
    if int(number) in INSTANTS_MS:
        at = datetime.fromtimestamp(int(number) / 1_000, zone)
        parts |= {"day": f"{at:%Y-%m-%d}", "time": f"{at:%H:%M}"}
    return parts


def _span(seconds: int) -> str:
    minutes, s = divmod(seconds, 60)
    hours, m = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    if days:
        return f"{days}d {h:02}:{m:02}"
    return f"{hours}:{m:02}:{s:02}" if hours else f"{m:02}:{s:02}"
