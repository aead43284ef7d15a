"""The explorer's frame: its pages, and the links among them. Run by `python -m explorer`."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from explorer import customers, kafka_page, meters, overview, quality, sql_page

# A file of our own: a named icon would be fetched from elsewhere.
ICON = Path(__file__).with_name("icon.svg")
PAGES = (
    ("overview", "Overview", "dashboard", overview.show),
    ("meters", "Meters", "electric_meter", meters.show),
    ("customers", "Customers", "group", customers.show),
    ("quality", "Data quality", "rule", quality.show),
    ("sql", "SQL", "database", sql_page.show),
    ("kafka", "Kafka", "forum", kafka_page.show),
)


def main(first: str = "overview") -> None:
    """Draw the page that the address names, the first where it names none."""
    st.set_page_config(
        page_title="Meterhouse",
        page_icon=str(ICON),
        layout="wide",
        menu_items={"about": "Meterhouse, an open-source smart-meter lakehouse."},
    )
    st.logo(str(ICON), size="large")
    pages = {
        name: st.Page(
            show, title=title, icon=f":material/{icon}:", url_path=name, default=name == first
        )
        for name, title, icon, show in PAGES
    }
    # Links among pages are made of these.
    st.session_state["pages"] = pages
    st.navigation(list(pages.values()), position="top").run()


if __name__ == "__main__":
    main()
