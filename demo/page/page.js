// A chat page as somebody without a bundler writes it: one script tag, one global.
const { AuthedSocket, passwordGrant, roomPerSocket, simpleJwt, viaSubprotocol } =
  globalThis.authedSocket
const { api, server, session: kind, socketUrl } = globalThis.demo
const $ = (id) => document.getElementById(id)

const session =
  kind === 'passwordGrant'
    ? passwordGrant({ url: `${api}/token`, refreshUrl: `${api}/token/refresh` })
    : simpleJwt({ obtain: `${api}/api/token/`, refresh: `${api}/api/token/refresh/` })

const socket = new AuthedSocket({
  url: socketUrl,
  auth: session,
  transmission: viaSubprotocol(),
  protocol: roomPerSocket(),
})
let room

$('server').textContent = server

function inWords(status) {
  const now = Date.now()
  const secondsTo = (at) => `${Math.max(0, Math.ceil((at - now) / 1000))} s`
  switch (status.state) {
    case 'idle':
      return 'Not connected.'
    case 'authenticating':
      return 'Getting a token…'
    case 'connecting':
      return status.everConnected ? 'Connecting again…' : 'Connecting…'
    case 'connected':
      return status.tokenExpiresAt
        ? `Connected. The token ends in ${secondsTo(status.tokenExpiresAt)}.`
        : 'Connected.'
    case 'waiting':
      return `Connection lost: ${status.error.message}. Next attempt in ${secondsTo(status.retryAt)}.`
    case 'failed':
      return status.action === 'sign-in'
        ? `Signed out by the server: ${status.error.message}.`
        : `Stopped: ${status.error.message}.`
  }
}

function showStatus() {
  const { status } = socket
  $('status').dataset.state = status.state
  $('words').textContent = inWords(status)
}
socket.subscribe(showStatus)
setInterval(showStatus, 500)

function show(text, name) {
  const line = document.createElement('li')
  if (name) line.append(Object.assign(document.createElement('b'), { textContent: name }))
  else line.className = 'note'
  line.append(text)
  $('messages').append(line)
  $('messages').scrollTop = $('messages').scrollHeight
}

function showChat(open) {
  $('sign-in').hidden = open
  $('sign-in').style.display = open ? 'none' : ''
  $('chat').hidden = !open
}

$('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault()
  $('problem').textContent = ''
  try {
    await session.login({ username: $('username').value, password: $('password').value })
    room = socket.room($('room').value)
    $('messages').replaceChildren()
    const off = new AbortController()
    const { signal } = off
    room.on('message', ({ data }) => show(data.message ?? String(data), data.username), { signal })
    room.on('joined', ({ rejoined }) => rejoined && show('Joined again.'), { signal })
    room.on('gap', () => show('Messages may be missing here.'), { signal })
    session.on('signedout', () => off.abort(), { signal })
    await room.join()
    $('title').textContent = `Room ${room.name}`
    showChat(true)
    $('text').focus()
  } catch (error) {
    $('problem').textContent = error.message
    await session.logout()
  }
})

$('composer').addEventListener('submit', (event) => {
  event.preventDefault()
  const message = $('text').value.trim()
  if (message === '') return
  $('text').value = ''
  room.send({ message }).catch((error) => show(`Not sent: ${error.message}`))
})

$('leave').addEventListener('click', () => session.logout())
session.on('signedout', () => showChat(false))
socket.on('signinrequired', ({ error }) => {
  showChat(false)
  $('problem').textContent = error.message
})

// The control door of the test servers; no real server has one.
const control = (command, body) =>
  fetch(`${api}/_control/${command}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
for (const button of document.querySelectorAll('[data-close]'))
  button.addEventListener('click', () => control('close', { code: Number(button.dataset.close) }))
$('refuse').addEventListener('click', () => {
  const refuseTokens = $('refuse').getAttribute('aria-pressed') === 'false'
  $('refuse').setAttribute('aria-pressed', String(refuseTokens))
  control('settings', { refuseTokens })
})
