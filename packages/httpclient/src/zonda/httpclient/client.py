"""The face of the package; being written. Where each piece plugs in:

- ``client.py``: `AsyncHTTPClient.fetch` wraps the `HTTPRequest` in a `_RequestProxy` and calls
  ``fetch_impl(proxy, callback)`` of the implementation, which calls ``callback(HTTPResponse)`` once
  (errors: code 599 and ``error``) and may return an object with ``cancel()``.
- ``simple.py``: `SimpleAsyncHTTPClient`, arguments ``max_clients``, ``hostname_mapping``,
  ``max_buffer_size``, ``resolver``, ``defaults``, ``max_header_size``, ``max_body_size``,
  ``max_clients_per_host``, ``keep_alive`` (idle seconds), ``cookies: CookieJar | None``,
  ``proxies: Proxies | None`` (``proxies.py``: a setting, default none; ``proxies.choose(url)``
  returns a ``Proxy`` or None, explicit ``proxy_host``/``proxy_port`` of a request win).
- ``fetching.py``: one fetch; the loop over attempts. After each response, in this order:
  cookies (``jar.extract(url, headers)`` / before sending ``jar.header(url)``), authentication
  (``attempt.refused``), redirects (``redirects.next_request(request: HTTPRequest, url,
  code, headers) -> HTTPRequest | None`` or raise `HTTPRedirectError`), retry.
- ``connecting.py``: ``await connect(request, target, ...)`` a connected stream: resolver, racing,
  proxy tunnel (``proxies.py``: ``await tunnel(stream, proxy, host, port)`` for CONNECT), TLS.
- ``pool.py``, ``connection.py``: keep-alive and the HTTP/1.1 driver.
"""
