// Keeps the page current. Without it the page loads itself again every ten seconds.
(function () {
  'use strict';
  var body = document.body, since = body.dataset.since, heard = Date.now(), source;

  // The browser makes elements of nothing but what passes here.
  var made = window.trustedTypes ? trustedTypes.createPolicy('building', { createHTML: function (s) { return s; } }) : { createHTML: function (s) { return s; } };
  function element(html) {
    var t = document.createElement('template');
    t.innerHTML = made.createHTML(html);
    return t.content.firstElementChild;
  }

  // place puts a tile where its group sorts it, in the stead of the one that was there.
  function place(change) {
    var old = document.getElementById('room-' + change.id), group = change.html && document.getElementById(change.group);
    var open = old && old.querySelector('details[open]'), focused = old && old.contains(document.activeElement) && document.activeElement.tagName;
    if (!group) { if (old) old.remove(); return; }
    var tile = element(change.html), next = group.firstElementChild;
    if (open && tile.querySelector('details')) tile.querySelector('details').open = true;
    while (next && (next === old || next.dataset.key < tile.dataset.key)) next = next.nextElementSibling;
    if (old) old.remove();
    group.insertBefore(tile, next);
    focused = focused && tile.querySelector(focused);
    if (focused) focused.focus({ preventScroll: true });
  }

  function listen() {
    source = new EventSource('/events?since=' + since + '&epoch=' + encodeURIComponent(body.dataset.epoch) + '&' + body.dataset.query);
    source.onopen = alive;
    source.addEventListener('rooms', function (e) {
      var news = JSON.parse(e.data);
      alive();
      since = news.revision;
      (news.rooms || []).forEach(place);
      if (news.sums) document.getElementById('sums').innerHTML = made.createHTML(news.sums);
    });
    source.addEventListener('beat', function (e) {
      var now = document.getElementById('now');
      alive();
      if (now) now.textContent = e.data;
    });
    source.addEventListener('locked', function () { location.assign('/enter'); });
    source.addEventListener('anew', function () { location.reload(); });
    // A stream that was refused does not come back by itself: the page was locked, or there are too many.
    source.onerror = function () { if (source.readyState === 2) again(); };
  }

  function again() {
    source.close();
    setTimeout(function () {
      fetch('/', { credentials: 'same-origin', redirect: 'manual' }).then(function (r) {
        if (r.type === 'opaqueredirect') location.assign('/enter'); else listen();
      }, again);
    }, 3000);
  }

  function alive() {
    heard = Date.now();
    document.getElementById('cut').hidden = true;
    body.classList.remove('cut');
  }

  setInterval(function () {
    if (Date.now() - heard < 11000) return;
    document.getElementById('cut').hidden = false;
    body.classList.add('cut');
    if (Date.now() - heard > 25000) { heard = Date.now() - 11000; source.close(); listen(); }
  }, 1000);

  if (window.EventSource) listen(); else setTimeout(function () { location.reload(); }, 10000);
})();
