// Segment's client for browsers, in Chromium: node browser.js URL WRITE_KEY CHROMIUM
//
// The page is http://shop.example and the collector http://collector.example, whatever ports they really listen on, so
// that what is sent does not change from run to run. Nothing else can be reached.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { chromium } from 'playwright-core'

const [collector, writeKey, executablePath] = process.argv.slice(2)

const script = await readFile(new URL('node_modules/@segment/analytics-next/dist/umd/index.js', import.meta.url))
const site = createServer((request, response) => {
  if (request.url === '/analytics.js') {
    response.setHeader('Content-Type', 'text/javascript')
    response.end(script)
    return
  }
  response.setHeader('Content-Type', 'text/html; charset=utf-8')
  response.end('<!doctype html><title>Lampen für „Zuhause“ 💡</title><script src="/analytics.js"></script>')
})
await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve))

const browser = await chromium.launchPersistentContext('', {
  executablePath,
  locale: 'de-DE',
  timezoneId: 'Europe/Berlin',
  // What Chromium says when it has a window. Without one it is a bot, and rightly marked as one.
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36',
  args: [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync',
    `--host-resolver-rules=MAP shop.example:80 127.0.0.1:${site.address().port}, ` +
      `MAP collector.example:80 ${new URL(collector).host}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`,
    '--unsafely-treat-insecure-origin-as-secure=http://shop.example,http://collector.example',
  ],
})

// visit runs send in a page that has the client as analytics. A batch that is refused is waited for until it comes again.
// Then it runs leave, and leaves the page.
async function visit(path, deliveryStrategy, send, leave = () => {}) {
  const page = await browser.newPage()
  page.on('pageerror', (error) => {
    console.error(error)
    process.exitCode = 1
  })
  await page.goto(`http://shop.example${path}`, { referer: 'https://www.google.com/' })
  await page.evaluate(async ([writeKey, deliveryStrategy]) => {
    window.analytics = AnalyticsNext.AnalyticsBrowser.load({
      writeKey,
      cdnSettings: {
        integrations: { 'Segment.io': { apiKey: writeKey, apiHost: 'collector.example/v1', protocol: 'http', deliveryStrategy } },
      },
    })
    await analytics.setAnonymousId('device-1')
  }, [writeKey, deliveryStrategy])
  const sent = deliveryStrategy.strategy === 'batching' &&
    page.waitForResponse((response) => response.url().endsWith('/v1/b') && response.ok() && response.request().method() === 'POST')
  await page.evaluate(send)
  await sent
  await page.evaluate(leave)
  await page.goto('about:blank')
  await page.close()
}

// By default each call is a request.
await visit('/lampen?utm_source=google&utm_medium=cpc&utm_campaign=Fr%C3%BChling&gclid=g-1#top', { strategy: 'standard' }, async () => {
  const options = (second, more) => ({ timestamp: new Date(Date.UTC(2026, 0, 15, 9, 30, second, 250)), ...more })
  await analytics.page('Docs', 'Home', { variant: 'blau', none: null }, options(1))
  await analytics.alias('zoë', undefined, options(2))
  await analytics.identify('zoë', { email: 'zoe@shop.example', name: 'Zoë' }, options(3, { integrations: { All: true, Mixpanel: false } }))
  await analytics.track('Order Completed', {
    order_id: 'o-1', revenue: 99.5, currency: 'EUR', products: [{ product_id: 'p-1', name: 'Lampe', price: 49.75, quantity: 2 }],
  }, options(4, { context: { consent: { categoryPreferences: { Advertising: true } } } }))
  await analytics.group('acme', { name: 'ACME GmbH', employees: 120 }, options(5))
  await analytics.screen('App', 'Main', { variant: 'blau' }, options(6))
  await analytics.track('日本語 <b>&\u2028"\\', {}, options(7, { context: { campaign: { name: 'own', source: 'bing' } } }))
  await analytics.track('Left to the client')
})

// With batching, a batch that was refused comes again with the timer, and what is left is sent when the page is left.
await visit('/kasse', { strategy: 'batching', config: { size: 2, timeout: 2000 } }, async () => {
  const options = (second) => ({ timestamp: new Date(Date.UTC(2026, 0, 15, 9, 31, second, 250)) })
  await analytics.page(undefined, undefined, {}, options(1))
  await analytics.track('Batched', { value: 7 }, options(2))
}, async () => {
  await analytics.reset()
  await analytics.setAnonymousId('device-2')
  await analytics.track('Left behind', {}, { timestamp: new Date(Date.UTC(2026, 0, 15, 9, 31, 3, 250)) })
})

await browser.close()
site.close()
