// Segment's client for Node: node segment-node.js URL WRITE_KEY
import { Analytics } from '@segment/analytics-node'

const [host, writeKey] = process.argv.slice(2)
const analytics = new Analytics({ writeKey, host, flushAt: 1000 })
analytics.on('error', (error) => {
  console.error(error)
  process.exitCode = 1
})

const at = (second) => new Date(Date.UTC(2026, 0, 15, 9, 30, second, 250))
const context = {
  ip: '203.0.113.7',
  userAgent: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 14_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15',
  locale: 'de-DE',
  timezone: 'Europe/Berlin',
  campaign: { name: 'Frühling', source: 'google', medium: 'cpc', term: 'lampen', content: 'b', id: '17' },
  page: {
    url: 'https://shop.example/lampen?utm_source=google&gclid=g-1#top', path: '/lampen', search: '?utm_source=google&gclid=g-1',
    title: 'Lampen für „Zuhause“ 💡', referrer: 'https://www.google.com/',
  },
  traits: { plan: 'pro' },
  groupId: 'acme',
  device: { type: 'desktop' },
}
const id = { userId: 'zoë', anonymousId: 'device-1' }

analytics.identify({
  ...id, messageId: 'node-1', timestamp: at(1), context,
  traits: { email: 'zoe@shop.example', name: 'Zoë', address: { city: 'Köln' }, tags: ['a', 'b'], age: 36, gone: null },
  integrations: { All: true, Mixpanel: false },
})
analytics.track({
  ...id, messageId: 'node-2', timestamp: at(2), context, event: 'Order Completed',
  properties: {
    order_id: 'o-1', revenue: 99.5, currency: 'EUR', coupon: null,
    products: [{ product_id: 'p-1', name: 'Lampe', price: 49.75, quantity: 2 }],
  },
  integrations: { Salesforce: { campaign: 'x' } },
})
analytics.page({
  ...id, messageId: 'node-3', timestamp: at(3).toISOString(), context, category: 'Docs', name: 'Home',
  properties: { url: 'https://shop.example/docs/home', path: '/docs/home', title: 'Home', referrer: 'https://news.example/a?b=c' },
})
analytics.screen({ userId: 'zoë', messageId: 'node-4', timestamp: at(4), category: 'App', name: 'Main', properties: { variant: 'blue' } })
analytics.group({
  ...id, messageId: 'node-5', timestamp: at(5), context, groupId: 'acme', traits: { name: 'ACME GmbH', employees: 120, plan: 'enterprise' },
})
analytics.alias({ previousId: 'old-zoë', userId: 'zoë', messageId: 'node-6', timestamp: at(6), context })
analytics.track({ anonymousId: 'device-2', userId: undefined, messageId: 'node-7', timestamp: at(7), event: '日本語 <b>&\u2028"\\' })
analytics.track({ anonymousId: 'device-2', event: 'Left to the client' })
await analytics.closeAndFlush()
