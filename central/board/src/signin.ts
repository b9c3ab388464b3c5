/** The first page: signing in, and the administrator's few affairs. */

import { createApp } from 'vue'
import { useLanguages } from './locales/words'
import SignInPage from './signin/SignInPage.vue'
import './styles/tokens.css'
import './styles/base.css'
import './styles/signin.css'

useLanguages(createApp(SignInPage)).mount('#page')
