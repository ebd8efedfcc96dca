/** No framework and no build: the tag, its events, and a button that takes it away and puts it back. */
const card = document.querySelector('wechat-bind')
const news = document.querySelector('output')

card.addEventListener('bound', ({ detail }) => news.replaceChildren(`bound ${detail.boundAt}`))
card.addEventListener('unbound', ({ detail }) => news.replaceChildren(`unbound ${detail.reason}`))

document.querySelector('button').addEventListener('click', ({ currentTarget }) => {
  if (card.isConnected) card.remove()
  else currentTarget.after(card)
})
