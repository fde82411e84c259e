// What pages see of the script, and what it sends.

export type Bag = Record<string, unknown>

// Touchline is window.touchline once the script has run.
export interface Touchline {
  track(event: string, properties?: Bag): void
  page(name?: string, properties?: Bag): void
  identify(userId: string | null, traits?: Bag): void
  group(groupId: string, traits?: Bag): void
  alias(userId: string, previousId?: string): void
}

// Call is a call made before the script was there, as the stub in the page keeps it.
export type Call = { [Name in keyof Touchline]: [Name, Parameters<Touchline[Name]>] }[keyof Touchline]

// Message is a message of the Segment spec. Members that are undefined are not sent.
export interface Message extends Bag {
  type: keyof Touchline
  messageId: string
  timestamp: string
}

declare global {
  interface Window {
    touchline?: Touchline | Call[]
  }
  interface Navigator {
    globalPrivacyControl?: boolean
    userAgentData?: { brands: { brand: string; version: string }[]; mobile: boolean; platform: string }
  }
  interface Document {
    prerendering?: boolean
  }

  // Set by build.mjs.
  const CLICK_IDS: string // parameters, separated by spaces, most telling first
  const VERSION: string
}
