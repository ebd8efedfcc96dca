/** Without a framework or a build: the tag, its events, and a button that removes and re-adds it. */
const card = document.querySelector('wechat-bind')
const news = document.querySelector('output')

card.addEventListener('bound', ({ detail }) => news.replaceChildren(`bound ${detail.boundAt}`))
card.addEventListener('unbound', ({ detail }) => news.replaceChildren(`unbound ${detail.reason}`))

document.querySelector('button').addEventListener('click', ({ currentTarget }) => {
  if (card.isConnected) card.remove()
  else currentTarget.after(card)
})
