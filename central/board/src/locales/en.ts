/** Words of the pages, English. */

import type { Words } from './zh'

export const en: Words = {
  product: { name: 'Casewatch', wall: 'Wall', desk: 'Desk', home: 'Home', pageTitle: '{page} · Casewatch', county: 'Live patrol of case-handling areas' },
  language: { switch: '中文', label: 'Change language' },
  link: {
    connecting: 'Connecting', open: 'Connected', waiting: 'Reconnecting', checking: 'Checking', attempt: 'try {n}',
    ageOfData: 'Data {age} old', broken: 'Connection lost', brokenHelp: 'What is shown has stopped: do not judge by it',
    lastData: 'last data {time}',
  },
  top: {
    clock: 'Centre time', link: 'Link', waiting: 'Waiting', longest: 'longest', reviewing: 'Reviewing', lapsed: 'Missed today',
    offline: 'Stations offline', faults: 'Faults',
  },
  state: {
    UNACK: 'Waiting', CLAIMED: 'Claimed', REVIEWING: 'Reviewing', RTN_UNACK: 'Left unseen', LAPSED: 'Missed', REVIEWED: 'Reviewed',
    FAULT: 'Fault', UNKNOWN: 'Unknown', IN_USE: 'In use', NORMAL: 'Normal',
  },
  level: { '1': 'level 1', '2': 'level 2', '3': 'level 3' },
  tag: {
    chain: 'Chain pending', late: 'Late {age}', simulated: 'Sim', lapsed: 'Was missed', opens: 'opened {n}×', noCamera: 'No camera',
  },
  owner: { reviewing: '{name} reviewing', mine: 'You are reviewing' },
  door: { open: 'Door open', closed: 'Door shut', unknown: 'Door unknown' },
  station: { online: 'Online', lost: 'Lost', never: 'Not yet seen', queued: '{n} queued', refused: '{n} refused', since: 'since {time}' },
  picture: {
    ok: 'Picture good', covered: 'Camera covered', dark: 'Picture dark', lost: 'Picture lost', none: 'No camera', unknown: 'Picture unknown',
  },
  cabinet: {
    title: 'Dossier cabinets', slot: 'Slot {n}', open: 'open', closed: 'shut', unknown: 'unknown', present: 'in place', absent: 'taken',
    taken: '{n} taken', opened: '{n} open', of: '{n} slots',
  },
  kind: {
    safety_check: 'Safety check', info_collection: 'Information', waiting_room: 'Waiting room', interrogation_room: 'Interrogation',
    inquiry_room: 'Inquiry', juvenile_room: 'Juvenile', lawyer_room: 'Lawyer meeting', lineup_room: 'Identification',
    sobering_room: 'Sobering', reception_room: 'Reception', other: 'Room',
  },
  queue: {
    title: 'Patrol queue', empty: 'No room is waiting', emptyHelp: 'An opened door shows here at once', more: '{n} more',
    search: 'Find station, room, name', noMatch: 'Nothing matches', deadline: 'missed in {age}', overdue: 'overdue {age}',
  },
  matrix: { title: 'Stations and rooms', connecting: 'Fetching the state of the stations…' },
  fault: {
    title: 'Device faults', empty: 'No device fault', since: 'for {age}', station_lost: 'Station lost', point_silent: 'Point silent',
    picture: 'Picture fault', epoch_unknown: 'Unknown journal epoch', forked: 'Forked journal',
  },
  sound: {
    off: 'No sound', offHelp: 'The browser does not allow sound: new alerts cannot be heard', enable: 'Turn sound on', mute: 'Mute 60 s',
    muted: 'Muted {age}',
  },
  announce: { alert: '{station} {room}: door open, {state}, {level}', link: 'Connection lost', linkBack: 'Connection is back' },
  act: {
    claim: 'Claim and look in', release: 'Release', retry: 'Retry', save: 'Save log', cancel: 'Cancel', close: 'Close', more: 'More',
    signOut: 'Sign out', help: 'Keys', backToAll: 'All rooms',
  },
  desk: {
    choose: '↑↓ to choose, Enter to claim', taken: '{name} was first', takenHelp: '{name} has this alert; your action changed nothing',
    changed: 'The alert has changed: look again before you act', gone: 'This alert has ended', edge: 'Opened (station clock)',
    raisedAt: 'Raised (centre clock)', saved: 'Review log saved', released: 'Back in the queue', owner: 'Reviewer', condition: 'Door',
    claimFirst: 'The picture plays once you claim', othersPicture: '{name} is looking into this room',
    room: 'Room', log: 'Review log', history: 'History', faults: 'Faults', queue: 'Queue',
  },
  live: {
    label: 'Live picture of {room}', cameraTime: 'Camera time {time}', age: '{seconds} s behind', waiting: 'Opening the picture…',
    frozen: 'No frame for {seconds} s', noCamera: 'This room has no camera', lawyer: 'By law a lawyer meeting room has no camera and no sound',
    none: 'No picture', since: 'since {time}', viewed: 'Viewed {seconds} s', ofMinimum: 'Viewed {seconds} of {minimum} s',
  },
  timeline: {
    title: 'Timeline of the room', empty: 'No record yet', failed: 'The timeline is not available now', edgeTime: 'Station clock',
    missed: '{n} not seen by polling', pulses: '{n} short openings',
  },
  event: {
    door_open: 'Door opened', door_closed: 'Door shut', lock_open: 'Slot opened', lock_closed: 'Slot shut', item_absent: 'Dossier taken',
    item_present: 'Dossier in place', picture_ok: 'Picture back', picture_covered: 'Camera covered', picture_dark: 'Picture dark',
    picture_lost: 'Picture lost', point_baseline: 'First reading', point_quality: 'Point quality changed',
    point_pulse: 'Opened and shut between two readings', other: 'Other record',
  },
  quality: {
    good: 'good', stale: 'stale', comm_fail: 'no communication', device_error: 'device error', line_open: 'line open', line_short: 'line short',
    tamper: 'tamper', disabled: 'disabled', simulated: 'simulated', other: 'not good',
  },
  log: {
    result: 'Result', normal: 'Normal', problem: 'Problem', empty: 'Room empty', device_fault: 'Device fault', checklist: 'Checklist',
    yes: 'Yes', no: 'No', na: 'N/A', notes: 'Notes', notesHint: 'What you saw; for a problem, what exactly',
    needNotes: 'Describe the problem', needNotesBlind: 'No camera here: say how you checked', needResult: 'Choose a result first', needReason: 'Viewed less than {seconds} s: say why',
    shortReason: 'Why the view was short', draft: 'not saved', notMine: 'Claim the alert to write the log', saving: 'Saving…',
    reasons: { lost: 'Picture lost', empty: 'Nobody in the room', short: 'People have left' },
  },
  check: {
    two_officers: 'Two or more officers present', recording_on: 'Audio and video recording on', guarded: 'Person is guarded',
    safe_furnishing: 'No dangerous object, furnishing sound', care_given: 'Food and rest provided',
    guardian_present: 'Guardian or suitable adult present', female_staff: 'Female staff with a girl',
    same_sex_check: 'Check by a person of the same sex', check_before_entry: 'Checked before entry', items_registered: 'Personal effects registered',
    kept_apart: 'Men and women, adults and minors apart', station_phoned: 'Confirmed with the station by telephone',
    no_recording: 'Confirmed that nothing is recorded',
  },
  releaseBox: { title: 'Release the alert', reason: 'Reason', hint: 'Such as: picture does not open, called away', confirm: 'Release' },
  help: {
    title: 'Keys', move: 'Choose', claim: 'Claim and open the picture', result: 'Result: normal, problem, empty, device fault',
    release: 'Release (with a reason)', mute: 'Mute 60 s (level 3 still sounds)', search: 'Find', save: 'Save the review log',
    escape: 'Back to all rooms', help: 'This page', note: 'Single keys do nothing inside a field or while an input method composes.',
  },
  history: {
    title: 'Review logs', room: 'Room', allRooms: 'All rooms', empty: 'No review log', late: 'Late', viewed: 'viewed {seconds} s',
    failed: 'The logs are not available now', loading: 'Loading…', playback: 'Playback',
  },
  signin: {
    title: 'Sign in', name: 'Name', password: 'Password', newPassword: 'Choose a password (10 characters or more)', code: 'One-time code',
    useCode: 'I have a one-time code', usePassword: 'Sign in with a password', chooseName: 'Your name (shown to all watchers)', submit: 'Sign in',
    create: 'Create account and sign in', busy: 'One moment…', lead: 'A door opens, somebody looks; somebody looked, it is written down.',
    noDefault: 'There is no default account. The first start prints a one-time code in the terminal.',
  },
  admin: {
    title: 'Administration', hello: '{name} (administrator)', stations: 'Links of the stations', faults: 'Present faults', invite: 'Invite a watcher',
    code: 'Sign-in code', expires: 'valid until {time}, shown once', inviteHelp: 'Hand the code over; its holder chooses a name and a password',
    station: 'Station', state: 'Link', since: 'Since', queued: 'Queued', refused: 'Refused', thing: 'Where', detail: 'Detail',
  },
  error: {
    network: 'The centre cannot be reached; try again', account_wrong_credentials: 'Wrong name or password', account_code_refused: 'The code is not valid or was used',
    account_locked_out: 'Too many attempts; try again later', access_denied: 'Not permitted', request_invalid: 'What was entered is not accepted',
    other: 'Not done ({code})', account_name_taken: 'This name is taken',
    review_not_viewed: 'No picture was seen yet; if it does not open, choose device fault',
    review_too_short: 'The view was too short: say why', review_notes_needed: 'No camera here: say how you checked', alert_not_found: 'This alert does not exist', server: 'The centre failed; it is in its log',
  },
}
