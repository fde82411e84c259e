// Messages on their way to the collector. They stay in the queue, and stored, until it has answered: what a closed page
// or a dead network leaves over is sent by the next page, under the same messageId, so it counts once.

import type { Bag, Message } from './types'
import { newID, parse, read, write } from './storage'

const LIMIT = 20_000 // characters of a batch, at most three bytes each: browsers take 64 KB from a page that ends
const MOST = 500 // messages kept
const SLOT = 'tl_queue.'

export class Queue {
  private messages: Message[] = []
  private sending = false
  private retry = 1000 // ms
  private timer = 0
  private readonly slot = SLOT + newID() // of this page alone: others may be open

  // shared is the context that all messages have.
  constructor(private readonly url: string, private readonly writeKey: string, private readonly shared: Bag) {
    this.adopt()
    document.addEventListener('visibilitychange', () => (document.visibilityState === 'hidden' ? this.leave() : this.flush()))
  }

  add(message: Message): void {
    this.messages.push(message)
    this.messages.splice(0, this.messages.length - MOST)
    this.save()
    this.schedule(0)
  }

  // adopt takes what other pages have left. One that is still open sends the same, which does no harm.
  private adopt(): void {
    let left: string[] = []
    try {
      left = Object.keys(localStorage).filter((name) => name.startsWith(SLOT))
    } catch {
      // no storage
    }
    for (const name of left) {
      const messages = parse<Message[]>(read(name))
      if (Array.isArray(messages)) this.messages.push(...messages)
      write(name)
    }
    if (this.messages.length) {
      this.save()
      this.schedule(0)
    }
  }

  private save(): void {
    write(this.slot, this.messages.length ? JSON.stringify(this.messages) : null)
  }

  // schedule waits at least until the calls that come together are in the queue.
  private schedule(delay: number): void {
    clearTimeout(this.timer)
    this.timer = window.setTimeout(() => this.flush(), delay)
  }

  // head returns as many of messages as fit into one batch, and at least one.
  private head(messages: Message[]): Message[] {
    let size = 0
    return messages.filter((message, i) => (size += JSON.stringify(message).length) < LIMIT || !i)
  }

  private body(batch: Message[]): string {
    return JSON.stringify({ batch, context: this.shared, writeKey: this.writeKey, sentAt: new Date() })
  }

  // flush sends a batch as text/plain, which a browser sends without asking first.
  private async flush(): Promise<void> {
    if (this.sending || !this.messages.length) return
    this.sending = true
    const batch = this.head(this.messages)
    const body = this.body(batch)
    let status = 0
    try {
      status = (await fetch(this.url, { method: 'POST', body, keepalive: body.length < LIMIT + 1000 })).status
    } catch {
      // no network, or somebody blocks it
    }
    this.sending = false
    if (!status || status >= 500 || status === 408 || status === 429) {
      this.schedule(this.retry)
      this.retry = Math.min(this.retry * 2, 60_000)
      return
    }
    // Taken, or refused for good.
    this.retry = 1000
    this.messages = this.messages.filter((message) => !batch.includes(message))
    this.save()
    this.flush()
  }

  // leave sends everything as beacons, because a request of a page that is about to end may be lost. Nobody hears
  // whether a beacon arrived, so the messages stay.
  private leave(): void {
    for (let rest = this.messages; rest.length; ) {
      const batch = this.head(rest)
      if (!navigator.sendBeacon(this.url, this.body(batch))) return
      rest = rest.slice(batch.length)
    }
  }
}
