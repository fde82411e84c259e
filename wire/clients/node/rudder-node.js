// RudderStack's client for Node: node rudder-node.js URL WRITE_KEY
import Analytics from '@rudderstack/rudder-sdk-node'

const [dataPlaneUrl, writeKey] = process.argv.slice(2)
const analytics = new Analytics(writeKey, { dataPlaneUrl, flushAt: 1000, logLevel: 'error' })

const at = (second) => new Date(Date.UTC(2026, 0, 15, 9, 30, second, 250))
const context = {
  ip: '203.0.113.7',
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0',
  locale: 'pt-BR',
  timezone: 'America/Sao_Paulo',
  campaign: { name: 'Verão', source: 'newsletter', medium: 'email', term: 'a', content: 'b' },
  page: { url: 'https://shop.example/promoção?x=1', path: '/promoção', title: 'Promoção', referrer: '' },
  traits: { plan: 'pro' },
  screen: { width: 1280, height: 720, density: 2 },
}
const id = { userId: 'ana', anonymousId: 'device-1' }

analytics.identify({
  ...id, messageId: 'rudder-1', timestamp: at(1), context, traits: { email: 'ana@shop.example', name: 'Ana Gonçalves' },
  integrations: { All: true, Mixpanel: false },
})
analytics.track({
  ...id, messageId: 'rudder-2', timestamp: at(2), context, event: 'Order Completed',
  properties: { order_id: 4711, revenue: '19.90', currency: 'brl', products: [{ product_id: 'p-1', price: 19.9 }] },
})
analytics.page({
  ...id, messageId: 'rudder-3', timestamp: at(3), context, category: 'Docs', name: 'Home',
  properties: { url: 'https://shop.example/home', title: 'Home' },
})
analytics.screen({ ...id, messageId: 'rudder-4', timestamp: at(4), name: 'Main', properties: { variant: 'blue' } })
analytics.group({ ...id, messageId: 'rudder-5', timestamp: at(5), groupId: 'acme', traits: { name: 'ACME', employees: 120 } })
analytics.alias({ previousId: 'old-ana', userId: 'ana', messageId: 'rudder-6', timestamp: at(6), context })
analytics.track({ userId: null, anonymousId: 'device-2', messageId: 'rudder-7', timestamp: at(7), event: 'Number', properties: { value: 7 } })
analytics.track({ userId: 42, anonymousId: '', messageId: 'rudder-8', timestamp: at(8), event: 'Numeric id' })
analytics.track({ anonymousId: 'device-2', event: 'Left to the client' })
await analytics.flush()
