// Which campaign the visit comes from. Every message of a visit says it, so that it is known for those, too, whose first
// page was never received.

import type { Bag } from './types'
import { parse, read, write } from './storage'

const SESSION = 30 * 60_000 // ms of silence that end a visit, as in the collector
const SLOT = 'tl_session'

interface Session {
  seen: number // ms
  campaign: Bag
}

let session: Session = { seen: 0, campaign: {} }

// inURL reads the campaign of the page's own address.
function inURL(): Bag {
  const parameters = new URLSearchParams(location.search)
  const campaign: Bag = {}
  for (const field of ['source', 'medium', 'campaign', 'term', 'content']) {
    const value = parameters.get('utm_' + field)
    if (value) campaign[field === 'campaign' ? 'name' : field] = value
  }
  const click = CLICK_IDS.split(' ').find((name) => parameters.get(name))
  if (click) {
    campaign.click_id = parameters.get(click)
    campaign.click_id_type = click
  }
  return campaign
}

// currentCampaign returns the campaign of the visit; undefined for none. arrived says that somebody has just come from
// another site or by a signed link: whatever brought them, the former campaign is over.
export function currentCampaign(page: boolean, arrived: boolean): Bag | undefined {
  session = parse<Session>(read(SLOT)) || session
  const now = Date.now()
  const fresh = page ? inURL() : {}
  if (Object.keys(fresh).length || arrived || !(now - session.seen < SESSION)) session.campaign = fresh
  session.seen = now
  write(SLOT, JSON.stringify(session))
  return Object.keys(session.campaign).length ? session.campaign : undefined
}
