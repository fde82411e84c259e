// The browser script: page views by itself, everything else by window.touchline.

import type { Bag, Call, Message, Touchline } from './types'
import { currentCampaign } from './campaign'
import { Queue } from './queue'
import { deviceID, newID, read, write } from './storage'

const USER = 'tl_user'
const GROUP = 'tl_group'

// address is where the page is, for the question whether it has changed.
const address = () => location.origin + location.pathname + location.search

// endpoint is the URL that batches go to: data-endpoint, an origin or a whole URL, else the script's own origin.
function endpoint(script: HTMLScriptElement): string {
  const url = new URL(script.dataset.endpoint || '/', script.src)
  if (url.pathname === '/') url.pathname = '/v1/batch'
  return url.href
}

function sharedContext(): Bag {
  const { userAgentData: agent, language } = navigator
  return {
    library: { name: 'touchline.js', version: VERSION },
    locale: language,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    screen: { width: screen.width, height: screen.height },
    userAgentData: agent && { brands: agent.brands, mobile: agent.mobile, platform: agent.platform },
  }
}

function start(url: string, key: string, calls: Call[]): void {
  const queue = new Queue(url, key, sharedContext())
  const anonymousId = deviceID()
  let userId = read(USER) || undefined
  let groupId = read(GROUP) || undefined
  let referrer = document.referrer
  let shown = '' // address of the last page view

  const add = (type: Message['type'], fields: Bag) => {
    const page = type === 'page'
    const elsewhere = !!referrer && new URL(referrer).host !== location.host
    const arrived = page && !shown && (elsewhere || /[?&]tl_touch=/.test(location.search))
    queue.add({
      type,
      messageId: newID(),
      timestamp: new Date().toISOString(),
      anonymousId,
      userId,
      context: {
        page: { url: location.href, title: document.title, referrer },
        campaign: currentCampaign(page, arrived),
        groupId,
      },
      ...fields,
    })
  }

  const api: Touchline = {
    track: (event, properties) => add('track', { event, properties }),
    page(name, properties) {
      add('page', { name, properties })
      shown = address()
    },
    identify(id, traits) {
      if (id) write(USER, (userId = id))
      add('identify', { traits })
    },
    group(id, traits) {
      write(GROUP, (groupId = id))
      add('group', { groupId, traits })
    },
    alias(id, previousId = userId || anonymousId) {
      write(USER, (userId = id))
      add('alias', { previousId })
    },
  }
  window.touchline = api

  // An application changes the address first and the title afterwards.
  const moved = () =>
    setTimeout(() => {
      if (address() === shown) return
      referrer = shown
      api.page()
    })
  for (const name of ['pushState', 'replaceState'] as const) {
    const original = history[name]
    history[name] = function (...args) {
      original.apply(this, args)
      moved()
    }
  }
  addEventListener('popstate', moved)

  api.page()
  for (const [name, args] of calls) (api[name] as (...args: unknown[]) => void)(...args)
}

const script = document.currentScript as HTMLScriptElement
const { key } = script.dataset
const url = endpoint(script)

// run begins once somebody looks at the page: browsers load pages ahead that nobody may ever see.
const run = () => {
  const calls = window.touchline || []
  if (Array.isArray(calls)) start(url, key!, calls) // else the page has the script twice
}
if (!key) console.error('touchline: the script has no data-key; set it to a write key of the project')
else if (document.prerendering) document.addEventListener('prerenderingchange', run, { once: true })
else run()
