/** The desk: one watcher's place of work. */

import { createApp } from 'vue'
import DeskPage from './desk/DeskPage.vue'
import { useLanguages } from './locales/words'
import './styles/tokens.css'
import './styles/base.css'
import './styles/marks.css'
import './styles/topbar.css'
import './styles/matrix.css'
import './styles/cabinet.css'
import './styles/cards.css'
import './styles/desk.css'
import './styles/room.css'
import './styles/log.css'

useLanguages(createApp(DeskPage)).mount('#page')
