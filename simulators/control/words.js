// Every word the page shows, Chinese and English. A word is a pair [zh, en].

export const VALUES = {
  open: ["开", "open"], closed: ["关", "closed"],
  present: ["在", "in"], absent: ["不在", "out"],
  ok: ["正常", "clear"], covered: ["遮挡", "covered"], dark: ["黑暗", "dark"],
  quiet: ["未拆", "quiet"], tripped: ["被拆", "tripped"],
  sound: ["完好", "sound"], cut: ["断线", "cut"], short: ["短路", "short"],
};

export const POINT_KINDS = {
  door: ["门", "door"], lock: ["锁", "lock"], item: ["案卷", "dossier"], picture: ["画面", "picture"],
  tamper: ["防拆", "tamper"], wire: ["线路", "wire"],
};

export const PROTOCOLS = {
  "modbus-tcp": ["Modbus 网口", "Modbus TCP"],
  "modbus-rtu": ["Modbus 串口", "Modbus RTU"],
  "lock-8a": ["8A 锁控板", "8A lock boards"],
  "lock-krcu": ["KR-CU 锁控板", "KR-CU lock boards"],
  "lock-cu48": ["CU48 锁控板", "CU48 lock boards"],
  "lock-winnsen": ["Winnsen 锁控板", "Winnsen lock boards"],
  "lock-wkly": ["WKLY 锁控板", "WKLY lock boards"],
  "rfid-m100": ["M100 标签读写器", "M100 tag readers"],
  "rfid-uhf18": ["UHF18 标签读写器", "UHF18 tag readers"],
  at: ["短信模块", "SMS modem, AT"],
  osdp: ["OSDP 读卡器", "OSDP card readers"],
  onvif: ["ONVIF 摄像机", "ONVIF cameras"],
  rtsp: ["摄像机视频", "camera streams, RTSP"],
};

export const DEVICE_KINDS = {
  module: ["输入模块", "input module"],
  cabinet: ["智能柜", "cabinet"],
  reader: ["标签读写器", "tag reader"],
  modem: ["短信模块", "SMS modem"],
  card_reader: ["读卡器", "card reader"],
  camera: ["摄像机", "camera"],
};

const ACTS = {
  restart: ["断电重启", "restart"], reboot: ["重启", "reboot"], restore: ["全部恢复", "restore all"],
  "answer no pulse": ["开锁不回话", "answer no pulse"], "cool down": ["冷却拒开", "cool down"],
  "hang after pulses": ["开锁后死机", "hang after pulses"], "tell changes": ["主动上报", "tell changes"],
  key: ["用钥匙开", "open by key"], jam: ["卡住", "jam"], fail: ["开锁失败", "fail to open"],
  cut: ["剪断", "cut"], short: ["短接", "short"], bridge: ["跨接触点", "bridge"],
  drift: ["漂移 2 %", "drift 2 %"], hum: ["50 Hz 杂波", "50 Hz hum"], mend: ["修好", "mend"],
  switch: ["翻转输出", "switch output"], preset: ["计数器置", "preset counters to"],
  "antenna off": ["天线断开", "antenna off"], "antenna on": ["天线接上", "antenna on"],
  flicker: ["标签闪烁", "flicker"], burst: ["200 张标签涌入", "burst of 200 tags"],
  "auto-upload": ["主动上传", "auto-upload"], duplicate: ["相邻天线串读", "duplicate reads"], steady: ["恢复稳定", "steady"],
  unregister: ["脱网", "leave network"], register: ["入网", "join network"],
  "report lost": ["丢一份回执", "lose one report"],
  busy: ["忙", "busy"], nak: ["要求加密 NAK 06", "refuse with NAK 06"], ready: ["就绪", "ready"],
  card: ["刷卡", "hold card"], tamper: ["拆外壳", "open housing"], untamper: ["装回外壳", "close housing"],
  "wrong key": ["换错密钥", "wrong key"], "right key": ["换回密钥", "right key"],
  away: ["断线", "cable off"], back: ["接回", "cable on"],
  "no key": ["换成无密钥的", "no key"],
  scene: ["场景突变", "scene change"], "scene over": ["场景恢复", "scene over"],
  dark: ["画面太暗", "too dark"], bright: ["亮度恢复", "bright again"],
  blurry: ["画面模糊", "blurry"], sharp: ["清晰恢复", "sharp again"],
  input: ["报警输入", "alarm input"], forget: ["丢掉订阅", "forget subscriptions"],
};

// "antenna off 2", "preset 65533", "card 0000000001": the longest known beginning, and what is left of it.
export function actWords(act) {
  const parts = act.split(" ");
  for (let count = parts.length; count > 0; count -= 1) {
    const known = ACTS[parts.slice(0, count).join(" ")];
    if (known) return known.map((word) => [word, ...parts.slice(count)].join(" "));
  }
  return [`操作 ${act}`, act];
}

// What the numbers of `jam lock:3` count.
export const TARGETS = {
  lock: ["锁", "lock"], ai: ["输入", "input"], di: ["输入", "input"], do: ["输出", "output"],
  antenna: ["天线", "antenna"], slot: ["格", "slot"],
};

// Names of stations and rooms, learnt from the layout.
const names = new Map();

export function learnNames(stations) {
  names.clear();
  for (const { id, name, rooms } of stations) {
    names.set(id, [name.zh, name.en]);
    for (const room of rooms) names.set(room.id, [room.name.zh, room.name.en]);
  }
}

export const pointKind = (point) => point.slice(point.lastIndexOf(".") + 1);
export const scopeOf = (point) => point.slice(0, point.lastIndexOf("."));

// "liuxu.int1.door" → 讯问室一; "liuxu.cab1.s03.lock" → cab1 格 03
export function placeWords(point) {
  const scope = scopeOf(point);
  if (names.has(scope)) return names.get(scope);
  const [, cabinet, slot] = /^(?:.*\.)?([^.]+)\.s(\d+)$/.exec(scope) ?? [];
  if (slot) return [`${cabinet} 格 ${slot}`, `${cabinet} slot ${slot}`];
  const rest = scope.split(".").slice(1).join(".") || scope;
  return [rest, rest];
}

// "柳圩派出所 讯问室一 门 开", "Liuxu Station Interrogation 1 door open"
export function pointWords(point, value) {
  const station = names.get(point.split(".")[0]) ?? ["", ""];
  const [place, kind, state] = [placeWords(point), POINT_KINDS[pointKind(point)], VALUES[value]];
  return [0, 1].map((side) => [station[side], place[side], kind[side], state[side]].filter(Boolean).join(" "));
}

const CLOCK = new Intl.DateTimeFormat("zh-CN", {
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});

export const clockTime = (atMs) => CLOCK.format(new Date(atMs));
export const clockTimeMs = (atMs) => `${clockTime(atMs)}.${String(atMs % 1000).padStart(3, "0")}`;
