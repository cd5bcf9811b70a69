"""Feed readers as small executable models, and what each shows over years of publishing."""
