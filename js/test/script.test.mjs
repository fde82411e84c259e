// The script in a real browser.

import assert from 'node:assert/strict'
import { after, before, beforeEach, afterEach, test } from 'node:test'
import { chromium } from 'playwright-core'
import { record, stub } from './recorder.mjs'

let browser, context, page, recorder

before(async () => {
  browser = await chromium.launch({ // with a profile of its own, new each time
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync',
    ],
  })
})
after(() => browser?.close())

beforeEach(async () => {
  recorder = await record()
  await open()
})
afterEach(async () => {
  await context.close()
  recorder.close()
})

// open begins with an empty browser.
async function open(options) {
  await context?.close()
  context = await browser.newContext({ locale: 'de-DE', timezoneId: 'Europe/Berlin', viewport: null, ...options })
  page = await context.newPage()
}

const limit = { timeout: 30_000 }
const isPage = (path) => (m) => m.type === 'page' && m.context.page.url === recorder.page + path
const isTrack = (event) => (m) => m.event === event

// shape is a value with what differs from run to run replaced by its kind.
function shape(value) {
  if (Array.isArray(value)) return value.map(shape)
  if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, shape(v)]))
  if (/^[0-9a-f]{32}$/.test(value)) return 'id'
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)) return 'time'
  return value
}

test('a page view, and everything that is sent with it', limit, async () => {
  await page.goto(recorder.page + '/lamps?utm_source=news&utm_medium=email&utm_campaign=spring&utm_content=a%20b&gclid=G1&fbclid=F1')
  const { body, ...request } = await recorder.until((all) => all[0])
  assert.deepEqual(request, { method: 'POST', url: '/v1/batch', type: 'text/plain;charset=UTF-8', mode: 'cors', status: 200 })

  const { userAgentData, screen, library, ...rest } = body.context
  assert.deepEqual(rest, { locale: 'de-DE', timezone: 'Europe/Berlin' })
  assert.equal(library.name, 'touchline.js')
  assert.match(library.version, /^\d+\.\d+\.\d+$/)
  assert.deepEqual(screen, await page.evaluate('({ width: screen.width, height: screen.height })'))
  assert.deepEqual(userAgentData, await page.evaluate('navigator.userAgentData.toJSON()'))
  assert.deepEqual(Object.keys(userAgentData), ['brands', 'mobile', 'platform'])

  const url = page.url()
  assert.deepEqual(shape({ ...body, context: 0 }), {
    batch: [{
      type: 'page', messageId: 'id', timestamp: 'time', anonymousId: 'id',
      context: {
        page: { url, title: 'Lamps', referrer: '' },
        campaign: { source: 'news', medium: 'email', name: 'spring', content: 'a b', click_id: 'G1', click_id_type: 'gclid' },
      },
    }],
    context: 0, writeKey: 'wk_test', sentAt: 'time',
  })
})

test('calls, before and after the script is there', limit, async () => {
  recorder.head = stub + '<script>touchline.identify("ada", { plan: "pro" }); touchline.track("Early")</script>' + recorder.head
  await page.goto(recorder.page + '/a')
  await recorder.message(isTrack('Early'))
  await page.evaluate(() => {
    const touchline = window.touchline
    touchline.track('Order Completed', { order_id: 'A-1', revenue: 9 })
    touchline.group('acme', { size: 3 })
    touchline.page('Checkout', { step: 2 })
    touchline.identify(null, { plan: 'free' })
    touchline.alias('ada@new')
  })
  await recorder.message((m) => m.type === 'alias')
  const batch = recorder.requests.flatMap((r) => r.body.batch)
  const page_ = { url: recorder.page + '/a', title: 'Lamps', referrer: '' }
  const common = { messageId: 'id', timestamp: 'time', anonymousId: 'id', context: { page: page_ } }
  const acme = { ...common, userId: 'ada', context: { page: page_, groupId: 'acme' } }
  assert.deepEqual(shape(batch), [
    { ...common, type: 'page' },
    { ...common, type: 'identify', userId: 'ada', traits: { plan: 'pro' } },
    { ...common, type: 'track', userId: 'ada', event: 'Early' },
    { ...common, type: 'track', userId: 'ada', event: 'Order Completed', properties: { order_id: 'A-1', revenue: 9 } },
    { ...acme, type: 'group', groupId: 'acme', traits: { size: 3 } },
    { ...acme, type: 'page', name: 'Checkout', properties: { step: 2 } },
    { ...acme, type: 'identify', traits: { plan: 'free' } },
    { ...acme, type: 'alias', userId: 'ada@new', previousId: 'ada' },
  ])
  assert.equal(new Set(batch.map((m) => m.messageId)).size, batch.length)
  assert.equal(new Set(batch.map((m) => m.anonymousId)).size, 1)
})

test('an application that changes its address', limit, async () => {
  await page.goto(recorder.page + '/?utm_source=news')
  await recorder.message(isPage('/?utm_source=news'))
  await page.evaluate(() => {
    history.pushState({}, '', '/red')
    document.title = 'Red lamps'
    history.replaceState({ scrolled: 5 }, '', '/red') // the same page
    history.replaceState({}, '', '/red#top') // still
  })
  await recorder.message(isPage('/red#top'))
  await page.evaluate(() => history.pushState({}, '', '/blue'))
  await recorder.message(isPage('/blue'))
  await page.goBack()
  await page.evaluate(() => window.touchline.track('Last'))
  await recorder.message(isTrack('Last'))
  const seen = recorder.requests.flatMap((r) => r.body.batch).map((m) => [m.type, m.context.page, m.context.campaign])
  const campaign = { source: 'news' }
  const [home, red, blue] = ['/?utm_source=news', '/red', '/blue'].map((path) => recorder.page + path)
  assert.deepEqual(seen, [
    ['page', { url: home, title: 'Lamps', referrer: '' }, campaign],
    ['page', { url: red + '#top', title: 'Red lamps', referrer: home }, campaign],
    ['page', { url: blue, title: 'Red lamps', referrer: red }, campaign],
    ['page', { url: red + '#top', title: 'Red lamps', referrer: blue }, campaign],
    ['track', { url: red + '#top', title: 'Red lamps', referrer: blue }, campaign],
  ])
})

test('a failure: the same messages again, and nothing that was refused for good', limit, async () => {
  recorder.status = 503
  await page.goto(recorder.page + '/')
  const first = await recorder.until((all) => all[0])
  await page.evaluate(() => window.touchline.track('Later'))
  recorder.status = 200
  await recorder.message(isTrack('Later'))
  const taken = recorder.requests.filter((r) => r.status === 200).flatMap((r) => r.body.batch)
  assert.deepEqual(taken.map((m) => m.type), ['page', 'track'])
  assert.deepEqual(taken[0], first.body.batch[0])

  recorder.status = 401
  await page.evaluate(() => window.touchline.track('Unwanted'))
  await recorder.until((all) => all.some((r) => r.status === 401))
  recorder.status = 200
  await page.evaluate(() => window.touchline.track('Wanted'))
  await recorder.message(isTrack('Wanted'))
  assert.deepEqual(recorder.requests.at(-1).body.batch.map((m) => m.event), ['Wanted'])
})

test('a page that ends: a beacon, and what may be lost again by the next page', limit, async () => {
  recorder.status = 503
  await page.goto(recorder.page + '/first')
  await recorder.until((all) => all[0])
  await page.evaluate(() => window.touchline.track('Leaving'))
  await page.goto('about:blank')
  const beacon = await recorder.until((all) => all.find((r) => r.mode === 'no-cors'))
  assert.deepEqual(beacon.body.batch.map((m) => m.event || m.type), ['page', 'Leaving'])
  assert.deepEqual([beacon.method, beacon.url, beacon.type], ['POST', '/v1/batch', 'text/plain;charset=UTF-8'])

  recorder.status = 200
  await page.goto(recorder.page + '/second')
  await recorder.message(isPage('/second'))
  const taken = recorder.requests.filter((r) => r.status === 200).flatMap((r) => r.body.batch)
  assert.deepEqual(taken.slice(0, 2), beacon.body.batch)
  await page.waitForFunction(() => !Object.keys(localStorage).some((name) => name.startsWith('tl_queue.')))
  assert.deepEqual(recorder.requests.filter((r) => r.method !== 'POST'), []) // no preflight was needed
})

test('the device stays the same, and so does the campaign for a visit', limit, async () => {
  await page.goto(recorder.page + '/?utm_source=news&utm_medium=email')
  const first = await recorder.message((m) => m.type === 'page')
  await page.evaluate(() => localStorage.removeItem('tl_aid')) // the cookie is left
  await page.goto(recorder.page + '/two')
  const second = await recorder.message(isPage('/two'))
  await context.clearCookies() // the storage is left
  await page.evaluate(() => localStorage.setItem('tl_session', JSON.stringify({
    ...JSON.parse(localStorage.getItem('tl_session')), seen: Date.now() - 31 * 60_000,
  })))
  await page.goto(recorder.page + '/three')
  const third = await recorder.message(isPage('/three'))
  assert.deepEqual([second.anonymousId, third.anonymousId], [first.anonymousId, first.anonymousId])
  assert.deepEqual(second.context.campaign, { source: 'news', medium: 'email' })
  assert.equal(third.context.campaign, undefined) // another visit

  await page.goto(recorder.page + '/?utm_source=news')
  await recorder.message(isPage('/?utm_source=news'))
  await page.goto(recorder.page + '/four', { referer: 'https://search.example/' })
  assert.equal((await recorder.message(isPage('/four'))).context.campaign, undefined) // from elsewhere, without one

  await page.goto(recorder.page + '/?utm_source=ads')
  await recorder.message(isPage('/?utm_source=ads'))
  await page.goto(recorder.page + '/five?tl_touch=M1') // from a mail: no referrer
  assert.equal((await recorder.message(isPage('/five?tl_touch=M1'))).context.campaign, undefined) // what the link says counts
})

test('who objects to tracking has nothing stored', limit, async () => {
  await context.addInitScript(() => Object.defineProperty(navigator, 'globalPrivacyControl', { value: true }))
  recorder.status = 503
  await page.goto(recorder.page + '/?utm_source=news')
  await recorder.until((all) => all[0])
  assert.deepEqual(await page.evaluate(() => [Object.keys(localStorage), document.cookie]), [[], ''])
  recorder.status = 200
  const seen = await recorder.message((m) => m.type === 'page')
  assert.deepEqual(shape(seen), {
    type: 'page', messageId: 'id', timestamp: 'time',
    context: { page: { url: recorder.page + '/?utm_source=news', title: 'Lamps', referrer: '' }, campaign: { source: 'news' } },
  })
})

test('an endpoint of its own; no key; the script twice', limit, async () => {
  const problems = []
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
  const script = recorder.head
  recorder.head = script.replace(' data-key="wk_test"', '')
  await page.goto(recorder.page + '/')
  await page.waitForLoadState('load')
  assert.deepEqual(problems, ['touchline: the script has no data-key; set it to a write key of the project'])

  const own = script.replace('async', `data-endpoint="${recorder.page}/own/path?x=1"`)
  recorder.head = own + own
  await page.goto(recorder.page + '/own')
  await page.evaluate(() => window.touchline.track('Only'))
  await recorder.message(isTrack('Only'))
  assert.deepEqual(recorder.requests.map((r) => r.url), recorder.requests.map(() => '/own/path?x=1'))
  assert.deepEqual(recorder.requests.flatMap((r) => r.body.batch).map((m) => m.event || m.type), ['page', 'Only'])

  recorder.head = script.replace('async', `data-endpoint="${recorder.page}"`)
  await page.goto(recorder.page + '/origin')
  await recorder.message(isPage('/origin'))
  assert.equal(recorder.requests.at(-1).url, '/v1/batch')
})

test('a browser without storage', limit, async () => {
  await context.addInitScript(() => {
    Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })
  })
  await page.goto(recorder.page + '/')
  const { anonymousId } = await recorder.message((m) => m.type === 'page')
  await page.goto(recorder.page + '/two')
  assert.equal((await recorder.message(isPage('/two'))).anonymousId, anonymousId) // from the cookie
})
