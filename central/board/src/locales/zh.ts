/** Words of the pages, Chinese: the source. `en.ts` has the same keys, which the type and a test demand. */

export const zh = {
  product: { name: '案管哨', wall: '大屏', desk: '值守台', home: '首页', pageTitle: '{page} · 案管哨', county: '办案区实时巡查' },
  language: { switch: 'English', label: '切换语言' },
  link: {
    connecting: '连接中', open: '已连接', waiting: '重连中', checking: '核对中', attempt: '第 {n} 次',
    ageOfData: '数据 {age} 前', broken: '连接中断', brokenHelp: '显示内容已停止更新，请勿据此判断现场', lastData: '最后数据 {time}',
  },
  top: {
    clock: '中心时间', link: '链路', waiting: '待巡', longest: '最久', reviewing: '巡查中', lapsed: '今日漏巡',
    offline: '离线站点', faults: '故障',
  },
  state: {
    UNACK: '待巡', CLAIMED: '已接', REVIEWING: '巡查中', RTN_UNACK: '离室未巡', LAPSED: '漏巡', REVIEWED: '已巡',
    FAULT: '故障', UNKNOWN: '未知', IN_USE: '使用中', NORMAL: '正常',
  },
  level: { '1': '一级', '2': '二级', '3': '三级' },
  tag: { chain: '链待核', late: '迟到 {age}', simulated: '模拟', lapsed: '曾漏巡', opens: '开门 {n} 次', noCamera: '无摄像机' },
  owner: { reviewing: '{name} 巡查中', mine: '我 巡查中' },
  door: { open: '门开', closed: '门关', unknown: '门未知' },
  station: { online: '在线', lost: '失联', never: '未接入', queued: '积压 {n} 条', refused: '拒收 {n} 条', since: '自 {time}' },
  picture: {
    ok: '画面正常', covered: '画面遮挡', dark: '画面过暗', lost: '画面中断', none: '无摄像机', unknown: '画面未知',
  },
  cabinet: {
    title: '案卷柜', slot: '{n} 号格口', open: '格口开', closed: '格口关', unknown: '未知', present: '在柜', absent: '取走',
    taken: '取走 {n}', opened: '开着 {n}', of: '共 {n} 格',
  },
  kind: {
    safety_check: '人身安全检查室', info_collection: '信息采集室', waiting_room: '候问室', interrogation_room: '讯问室',
    inquiry_room: '询问室', juvenile_room: '未成年人询问室', lawyer_room: '律师会见室', lineup_room: '辨认室',
    sobering_room: '醒酒室', reception_room: '案件受理室', other: '功能室',
  },
  queue: {
    title: '巡查队列', empty: '没有待巡的房间', emptyHelp: '门一打开，这里立即出现', more: '另有 {n} 条', search: '查找站点、房间、姓名',
    noMatch: '没有符合的条目', deadline: '距漏巡 {age}', overdue: '超时 {age}',
  },
  matrix: { title: '站点与功能室', connecting: '正在取得各站点状态…' },
  fault: {
    title: '设备故障', empty: '没有设备故障', since: '已 {age}', station_lost: '站点失联', point_silent: '测点无响应', picture: '画面异常',
    epoch_unknown: '日志代次未登记', forked: '日志分叉',
  },
  sound: {
    off: '无声', offHelp: '浏览器未允许发声，新报警听不见', enable: '开启声音', mute: '静音 60 秒', muted: '静音中 {age}',
  },
  announce: { alert: '{station} {room} 门开，{state}，{level}', link: '连接中断', linkBack: '连接恢复' },
  act: {
    claim: '接警并查看', release: '退回', retry: '重试', save: '保存记录', cancel: '取消', close: '关闭', more: '更多', signOut: '退出',
    help: '快捷键', backToAll: '全部房间',
  },
  desk: {
    choose: '按 ↑↓ 选择，Enter 接警', taken: '{name} 已先接警', takenHelp: '该警情由 {name} 巡查，您的操作未生效', changed: '警情已变化，请核对后再操作',
    gone: '该警情已结束', edge: '开门（站点时间）', raisedAt: '报警（中心时间）', saved: '巡查记录已保存', released: '已退回队列',
    owner: '巡查人', condition: '门的状态', claimFirst: '接警后自动播放画面', othersPicture: '{name} 正在查看本室画面',
    room: '房间详情', log: '巡查记录', history: '历史', faults: '故障', queue: '队列',
  },
  live: {
    label: '{room} 实时画面', cameraTime: '摄像机时间 {time}', age: '延迟 {seconds} 秒', waiting: '正在接通画面…', frozen: '画面已停 {seconds} 秒',
    noCamera: '本室不设摄像机', lawyer: '律师会见室依法不设摄像机、不录音', none: '没有画面', since: '自 {time}', viewed: '已看 {seconds} 秒',
    ofMinimum: '已看 {seconds} / {minimum} 秒',
  },
  timeline: { title: '本室时间线', empty: '还没有记录', failed: '时间线暂时取不到', edgeTime: '站点时间', missed: '漏计 {n} 次', pulses: '{n} 次短暂开合' },
  event: {
    door_open: '门开', door_closed: '门关', lock_open: '格口开', lock_closed: '格口关', item_absent: '案卷取走',
    item_present: '案卷在柜', picture_ok: '画面恢复', picture_covered: '画面遮挡', picture_dark: '画面过暗', picture_lost: '画面中断',
    point_baseline: '首次读数', point_quality: '测点质量变化', point_pulse: '两次读取之间有开合', other: '其他记录',
  },
  quality: {
    good: '正常', stale: '陈旧', comm_fail: '通信失败', device_error: '设备错误', line_open: '断线', line_short: '短路', tamper: '防拆',
    disabled: '已停用', simulated: '模拟', other: '异常',
  },
  log: {
    result: '巡查结果', normal: '正常', problem: '问题', empty: '空室', device_fault: '设备故障', checklist: '检查项', yes: '是', no: '否',
    na: '不适用', notes: '巡查情况', notesHint: '看到了什么；发现问题请写明情形', needNotes: '结果为问题时请写明情形', needNotesBlind: '本室无摄像机，请写明如何核实', needResult: '请先选择巡查结果',
    needReason: '查看不足 {seconds} 秒，请写明原因', shortReason: '查看时间不足的原因', draft: '未保存', notMine: '接警后填写巡查记录',
    saving: '保存中…', reasons: { lost: '画面中断', empty: '室内无人', short: '人员已离开' },
  },
  check: {
    two_officers: '两名以上民警在场', recording_on: '同步录音录像开启', guarded: '有人看管', safe_furnishing: '无危险物品，设施完好',
    care_given: '饮食休息有保障', guardian_present: '监护人或合适成年人在场', female_staff: '女性未成年人有女工作人员在场',
    same_sex_check: '同性别人员检查', check_before_entry: '先检查后进入', items_registered: '随身财物已登记', kept_apart: '男女、成年未成年分开',
    station_phoned: '已电话向站点核实', no_recording: '核实未录音录像',
  },
  releaseBox: { title: '退回警情', reason: '退回原因', hint: '例如：画面打不开、临时离岗', confirm: '确认退回' },
  help: {
    title: '快捷键', move: '上下选择', claim: '接警并打开画面', result: '巡查结果：正常、问题、空室、设备故障', release: '退回（须写原因）',
    mute: '静音 60 秒（三级不静音）', search: '查找', save: '保存巡查记录', escape: '回到全部房间', help: '显示本页',
    note: '在输入框内或输入法组字时，单键不起作用。',
  },
  history: {
    title: '巡查记录', room: '房间', allRooms: '全部房间', empty: '没有巡查记录', late: '补巡', viewed: '看 {seconds} 秒', failed: '记录暂时取不到',
    loading: '读取中…', playback: '回放',
  },
  signin: {
    title: '登录', name: '姓名', password: '密码', newPassword: '设置密码（至少 10 位）', code: '一次性登录码', useCode: '使用一次性登录码', usePassword: '使用密码登录',
    chooseName: '您的姓名（显示给所有值守人员）', submit: '登录', create: '建立账号并登录', busy: '请稍候…', lead: '门一开，就有人看；看过了，就有记录。',
    noDefault: '系统没有默认账号。首次启动时，终端会显示一次性登录码。',
  },
  admin: {
    title: '系统管理', hello: '{name}（管理员）', stations: '站点链路', faults: '当前故障', invite: '邀请值守员', code: '登录码', expires: '{time} 前有效，只显示一次',
    inviteHelp: '把登录码交给本人，由其自设姓名与密码', station: '站点', state: '链路', since: '时间', queued: '积压', refused: '拒收', thing: '对象',
    detail: '情况',
  },
  error: {
    network: '连不上中心，请稍后重试', account_wrong_credentials: '姓名或密码不对', account_code_refused: '登录码无效或已用过', account_locked_out: '尝试过多，请稍后再试', access_denied: '没有权限', request_invalid: '填写的内容不符合要求',
    other: '操作未成功（{code}）', account_name_taken: '该姓名已被使用', review_not_viewed: '还没有看到画面，不能记为已巡；打不开请选设备故障', review_too_short: '查看时间不足，请写明原因',
    review_notes_needed: '本室无摄像机，请写明如何核实', alert_not_found: '该警情已不存在', server: '中心内部出错，已记入日志',
  },
}

export type Words = typeof zh
