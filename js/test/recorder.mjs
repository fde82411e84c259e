// A collector that keeps what it is sent, and pages that have the script in them. The pages are on localhost, the
// collector on 127.0.0.1: to a browser two origins, as in real life.

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const script = readFileSync(new URL('../dist/t.js', import.meta.url))
export const stub = readFileSync(new URL('../stub.html', import.meta.url), 'utf8')

export async function record() {
  const requests = [] // of every method, to the endpoint of the collector
  const waiting = new Set()
  const recorder = { requests, status: 200, head: '', page: '', collector: '', close: () => server.close() }

  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    if (request.url === '/t.js') return response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(script)
    if (request.method === 'GET') {
      return response.writeHead(200, { 'Content-Type': 'text/html' }).end(`<!doctype html><title>Lamps</title>${recorder.head}<p>page</p>`)
    }
    const { method, url, headers } = request
    requests.push({ method, url, type: headers['content-type'], mode: headers['sec-fetch-mode'], status: recorder.status, body: JSON.parse(body) })
    response.writeHead(recorder.status, { 'Access-Control-Allow-Origin': '*' }).end()
    for (const check of waiting) check()
  })
  await new Promise((resolve) => server.listen(0, resolve))
  const { port } = server.address()
  recorder.page = `http://localhost:${port}`
  recorder.collector = `http://127.0.0.1:${port}`
  recorder.head = `<script async src="${recorder.collector}/t.js" data-key="wk_test"></script>`

  // until resolves once what find returns is true of the requests; the test's own time limit ends it.
  recorder.until = (find) =>
    new Promise((resolve) => {
      const check = () => {
        const found = find(requests)
        if (!found) return
        waiting.delete(check)
        resolve(found)
      }
      waiting.add(check)
      check()
    })
  // message resolves to the first message taken that fits.
  recorder.message = (fits) =>
    recorder.until(() => requests.filter((r) => r.status === 200).flatMap((r) => r.body.batch).find(fits))
  return recorder
}
