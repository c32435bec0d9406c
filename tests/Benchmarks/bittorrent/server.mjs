// The tracker that most of the field's own trackers are built with, announced to over HTTP.
import { Server } from 'bittorrent-tracker'

const server = new Server({ http: true, udp: false, ws: false, stats: true, trustProxy: false })
server.on('error', error => { console.error(error); process.exit(1) })
server.on('warning', () => {})
server.listen(0, '127.0.0.1', () => console.log(`bittorrent-tracker serves on http://127.0.0.1:${server.http.address().port}`))
