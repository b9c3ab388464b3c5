/** The wall: read-only, dark, for a room to look at all day. */

import { createApp } from 'vue'
import { useLanguages } from './locales/words'
import WallPage from './wall/WallPage.vue'
import './styles/tokens.css'
import './styles/base.css'
import './styles/marks.css'
import './styles/topbar.css'
import './styles/matrix.css'
import './styles/cabinet.css'
import './styles/cards.css'
import './styles/wall.css'

useLanguages(createApp(WallPage)).mount('#page')
