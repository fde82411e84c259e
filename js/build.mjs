// Makes dist/t.js, which the Go package embeds, of src. With --check it only says whether dist/t.js is what src makes, so
// that neither make nor go build ever takes a stale one.

import { readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const here = (name) => new URL(name, import.meta.url)
const most = 3000 // bytes, gzip

// The collector's table says which parameters are click ids, most telling first.
const clickIDs = readFileSync(here('../collector/enrich/channels/clickids.txt'), 'utf8')
  .split('\n')
  .flatMap((line) => /^(\w+):/.exec(line)?.[1] ?? [])
const { version } = JSON.parse(readFileSync(here('package.json'), 'utf8'))

const result = await build({
  entryPoints: [here('src/main.ts').pathname],
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2020',
  charset: 'utf8',
  write: false,
  define: { CLICK_IDS: JSON.stringify(clickIDs.join(' ')), VERSION: JSON.stringify(version) },
})
const script = Buffer.from(result.outputFiles[0].contents)
const size = gzipSync(script, { level: 9 }).length
if (size > most) {
  console.error(`js: the script has ${size} bytes gzip; at most ${most} are promised`)
  process.exit(1)
}

const dist = here('dist/t.js')
if (!process.argv.includes('--check')) {
  writeFileSync(dist, script)
  console.log(`dist/t.js: ${script.length} bytes, ${size} gzip`)
} else if (!script.equals(readFileSync(dist))) {
  console.error('js: dist/t.js is not what src makes; run "npm run bundle" in js and commit it')
  process.exit(1)
}
