"""Sources of every kind, and their secrets."""

SOURCES = """
shopify:
  preset: shopify
  secrets: [shopify]
  to: phone
  messages:
    orders/create: {text: "Ordine {name} ricevuto."}
    orders/paid: {text: "Ordine {name} pagato."}
woocommerce:
  preset: woocommerce
  secrets: [woocommerce]
  to: billing.phone
  messages:
    order.updated:
      when: status != 'pending'
      text: "Ordine {number}: {status}."
plain-woocommerce:
  preset: woocommerce
  secrets: [woocommerce]
  to: billing.phone
  once: nothing
  message: {text: "Ordine {number}."}
scadenze:
  preset: make
  secrets: [token]
  to: tel
  message: {send_at: quando, text: "Scadenza {numero}."}
orologio:
  preset: make
  secrets: [token]
  to: tel
  message: {send_at: "at(quando, '09:00')", text: "Scadenza {numero}."}
domani:
  preset: make
  secrets: [token]
  to: tel
  message: {delay: P1D, text: "Scadenza {numero}."}
modulo:
  preset: make
  secrets: [token]
  to: tel
  message: {text: "Grazie {nome}, a presto."}
gruppo:
  preset: make
  secrets: [token]
  each: eventi
  to: tel
  message: {text: "Grazie {nome}, a presto."}
lungo:
  preset: make
  secrets: [token]
  to: tel
  message: {text: "{nome}{nome}{nome}{nome}{nome}{nome}{nome}{nome}{nome}{nome}"}
altro-modulo:
  preset: make
  secrets: [token]
  to: tel
  message: {text: "Grazie {nome}, a presto."}
"""
SECRETS = {"shopify": "shop-secret", "woocommerce": "woo-secret", "token": "a-token"}
